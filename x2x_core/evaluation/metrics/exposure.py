"""Preservation of exposure outside a region, read off the pixels."""

from __future__ import annotations

import torch


def brightness_shift(edited: torch.Tensor, after: torch.Tensor, region: torch.Tensor) -> float | None:
    """Return `|mean(edited) - mean(after)| / std(after)` over the pixels outside a region.

    Args:
        edited: `(1, H, W)` in [0, 1]; `after` is the truth.
        after: like `edited`.
        region: `(1, H, W)` bool.

    Returns:
        At least 0, in standard deviations of the truth there; ``None`` if the truth has no contrast there.
    """
    new, old = (image[~region].double() for image in (edited, after))
    spread = _spread(old)
    return float((new.mean() - old.mean()).abs()) / spread if spread else None


def contrast_shift(edited: torch.Tensor, after: torch.Tensor, region: torch.Tensor) -> float | None:
    """Return `|std(edited) / std(after) - 1|` over the pixels outside a region.

    Args:
        edited: `(1, H, W)` in [0, 1]; `after` is the truth.
        after: like `edited`.
        region: `(1, H, W)` bool.

    Returns:
        At least 0; ``None`` if the truth has no contrast there.
    """
    new, old = (image[~region].double() for image in (edited, after))
    spread = _spread(old)
    return abs(float(new.std(correction=0)) / spread - 1) if spread else None


def _spread(values: torch.Tensor) -> float:
    return float(values.std(correction=0)) if values.numel() else 0.0
