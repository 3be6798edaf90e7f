"""The pointing game."""

from __future__ import annotations

import math

import torch

from .map_ranking import flat_map_and_region


def pointing(map: torch.Tensor, region: torch.Tensor) -> float:
    """Return 1 if the map's highest value lies in the region, else 0 (Zhang et al., *Top-down Neural Attention*, 2018).

    If several pixels share the highest value, return the share of them in the region: the expected score of a random
    choice among them.

    Args:
        map: see `x2x_core.evaluation.metrics.map_ranking`.
        region: like `map`.
    """
    values, inside = flat_map_and_region(map, region)
    if not inside.any():
        return math.nan
    highest = values == values.max()
    return float((highest & inside).sum()) / float(highest.sum())
