"""Regions that the place hint names in training: where the images of a pair differ."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from x2x_core.common.randomness import uniform

# The region holds cells whose change is above a share of the pair's greatest; drawn from this range.
_SHARES = (0.08, 0.45)
# A pair that changes less than this at each cell has no region.
_LEAST_CHANGE = 0.04
# Share of the regions that say how much each cell changes.
_GRADED = 0.5
# Cells by which a region is grown, each equally likely: guidance masks are wider than what they hold.
_GROWTH = (0, 0, 0, 1, 1, 2, 3)


def draw_regions(weight: torch.Tensor, dropout: float, generator: torch.Generator) -> torch.Tensor:
    """Draw the region of each pair of a batch.

    Args:
        weight: `(B, 1, h, w)` in [0, 1], how much the images of a pair differ; see `change_weight`.
        dropout: share of pairs whose place is left open.
        generator: four numbers are drawn for each pair.

    Returns:
        `(B, 1, h, w)` in [0, 1]; all 0 where the place is left open. Half of the others are the change relative to its
        greatest, as of an extent, the others have the values 0 and 1 alone, as a mask.
    """
    return torch.stack([_draw_region(own, dropout, generator) for own in weight])


def _draw_region(weight: torch.Tensor, dropout: float, generator: torch.Generator) -> torch.Tensor:
    greatest = float(weight.max())
    dropped = uniform(0, 1, generator) < dropout
    share = uniform(*_SHARES, generator)
    growth = _GROWTH[int(uniform(0, len(_GROWTH), generator))]
    graded = uniform(0, 1, generator) < _GRADED
    if dropped or greatest < _LEAST_CHANGE:
        return torch.zeros_like(weight)
    if graded:
        return weight / greatest
    region = (weight > share * greatest).to(weight)
    return F.max_pool2d(region[None], 2 * growth + 1, stride=1, padding=growth)[0]
