"""Share of an edit that is left after it was taken back."""

from __future__ import annotations

import torch


def undo(image: torch.Tensor, edited: torch.Tensor, undone: torch.Tensor, region: torch.Tensor) -> float | None:
    """Return mean |undone - image| over mean |edited - image| in a region: 0 if all is as before.

    Args:
        image: `(1, H, W)` in [0, 1], before both edits.
        edited: like `image`, after a finding was added.
        undone: like `image`, after it was removed again.
        region: `(1, H, W)` bool, where the first edit could change the image.

    Returns:
        ``None`` if the first edit changed nothing in the region.
    """
    made = float((edited - image).abs()[region].double().sum())
    return float((undone - image).abs()[region].double().sum()) / made if made else None
