"""Locations of the findings of a simulated pair, as far as the two images show them."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from x2x_core.scorers.network import STRIDE

# A pixel has changed if it differs by this share of the largest change, and by this much in grey levels of [0, 1].
_CHANGE_SHARE, _MIN_CHANGE = 0.15, 0.01
_CELL_SHARE = 0.2  # share of changed pixels above which a cell has changed


def finding_places(pair: torch.Tensor, present: torch.Tensor, changes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Locate the findings of a pair.

    A finding that is absent from an image is nowhere in it. A finding that is present and is the pair's only change is
    where the two images differ. The location of any other finding (changed in level, present in both images, one of
    several changes) is unknown.

    Args:
        pair: `(2, h, w)` in [0, 1].
        present: `(2, F)`, 1 where an image has a finding.
        changes: number of findings that the pair changes.

    Returns:
        `places` `(2, F, h / STRIDE, w / STRIDE)` of 0 and 1, and `known` `(2, F)`, 1 where the location is known.
    """
    change = (pair[1] - pair[0]).abs()
    region = (change > max(_CHANGE_SHARE * float(change.max()), _MIN_CHANGE)).float()
    cells = (F.avg_pool2d(region[None], STRIDE) > _CELL_SHARE).float()
    only_change = float(changes == 1) * (present != present.flip(0)).float()
    return present[..., None, None] * cells, torch.where(present > 0, only_change, torch.ones_like(only_change))
