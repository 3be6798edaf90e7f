"""Change that an edit makes outside a region."""

from __future__ import annotations

import torch


def change_outside(edited: torch.Tensor, before: torch.Tensor, region: torch.Tensor) -> float | None:
    """Return the mean absolute change of grey value over the pixels outside a region.

    Args:
        edited: `(1, H, W)` in [0, 1].
        before: like `edited`.
        region: `(1, H, W)` bool.

    Returns:
        In [0, 1]; ``None`` if the region is the whole image.
    """
    outside = (edited - before).double()[~region]
    return float(outside.abs().mean()) if outside.numel() else None


def energy_outside(edited: torch.Tensor, before: torch.Tensor, region: torch.Tensor) -> float:
    """Return the share of the edit's energy (sum of squared changes) outside a region, in [0, 1]; 0 for no change.

    Args:
        edited: `(1, H, W)` in [0, 1].
        before: like `edited`.
        region: `(1, H, W)` bool.
    """
    change = (edited - before).double()
    energy = float(change.square().sum())
    return float(change[~region].square().sum()) / energy if energy else 0.0


def largest_change_outside(edited: torch.Tensor, before: torch.Tensor, mask: torch.Tensor) -> float | None:
    """Return the largest absolute change outside a guidance mask, which must be 0 for a restricted edit.

    Args:
        edited: `(1, H, W)` in [0, 1].
        before: like `edited`.
        mask: `(1, H, W)` bool.

    Returns:
        In [0, 1]; ``None`` if the mask covers the whole image.
    """
    outside = ~mask
    return float((edited - before).abs()[outside].max()) if outside.any() else None
