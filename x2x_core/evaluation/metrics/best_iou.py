"""Best intersection over union of a thresholded map with a region."""

from __future__ import annotations

import math

import torch

from .map_ranking import hits_by_threshold


def best_iou(map: torch.Tensor, region: torch.Tensor) -> float:
    """Return the maximum over all thresholds of `|A & R| / |A | R|` for `A = map >= threshold`, in (0, 1].

    The ratio is Jaccard's (*Étude comparative de la distribution florale*, 1901).

    Args:
        map: see `x2x_core.evaluation.metrics.map_ranking`.
        region: like `map`.
    """
    hits, selected = hits_by_threshold(map, region)
    if not len(hits):
        return math.nan
    return float((hits / (selected + hits[-1] - hits)).max())
