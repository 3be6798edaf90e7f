"""Share of a map's energy that lies inside a region."""

from __future__ import annotations

import math

import torch

from .map_ranking import flat_map_and_region


def energy_inside(map: torch.Tensor, region: torch.Tensor) -> float:
    """Return the sum of squares inside the region over the sum of all squares, in [0, 1]; 0 for a map of zeros.

    Args:
        map: see `x2x_core.evaluation.metrics.map_ranking`; the map may be signed.
        region: like `map`.
    """
    values, inside = flat_map_and_region(map, region)
    if not inside.any():
        return math.nan
    energy = values.square()
    total = float(energy.sum())
    return float(energy[inside].sum()) / total if total > 0 else 0.0
