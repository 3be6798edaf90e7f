"""Error of an edit relative to the error of the unedited image."""

from __future__ import annotations

import torch


def error_ratio(edited: torch.Tensor, before: torch.Tensor, after: torch.Tensor, region: torch.Tensor) -> float | None:
    """Return the mean squared error of the edit over that of the unedited image, over a region.

    0 for the truth, 1 for an edit that changes nothing.

    Args:
        edited: `(1, H, W)` in [0, 1]; `after` is the truth.
        before: like `edited`.
        after: like `edited`.
        region: `(1, H, W)` bool.

    Returns:
        At least 0; ``None`` for an empty region, or if `before` equals the truth there.
    """
    if not region.any():
        return None
    old, new = (float((image - after)[region].double().square().mean()) for image in (before, edited))
    return new / old if old else None
