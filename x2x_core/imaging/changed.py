"""The region of a change: where it is more than noise."""

from __future__ import annotations

import torch
import torch.nn.functional as F

REGION_SHARE = 0.1  # of the largest change, above which a pixel belongs to the changed region
SMALLEST_CHANGE = 0.01  # grey levels of [0, 1]


def changed_region(change: torch.Tensor) -> torch.Tensor:
    """Return the exact region of a change: `(1, H, W)` to bool `(1, H, W)`. Empty if nothing changes."""
    strength = change.abs()
    return strength > max(REGION_SHARE * float(strength.max()), SMALLEST_CHANGE)


def grown(region: torch.Tensor, share: float) -> torch.Tensor:
    """Return a region `(..., 1, H, W)` bool grown by a share of its longer side, at least by a pixel."""
    radius = max(1, round(share * max(region.shape[-2:])))
    return F.max_pool2d(region.float(), 2 * radius + 1, stride=1, padding=radius) > 0
