"""Average precision of a map against a region."""

from __future__ import annotations

import math

import torch

from .map_ranking import hits_by_threshold


def average_precision(map: torch.Tensor, region: torch.Tensor) -> float:
    """Return the sum over thresholds of precision times gain in recall, in [0, 1].

    There is a threshold at every distinct value (the step-wise area under the precision-recall curve; Manning et al.,
    *Introduction to Information Retrieval*, 2008). A constant map scores the region's share of the image; a map that
    ranks the whole region above the rest scores 1.

    Args:
        map: see `x2x_core.evaluation.metrics.map_ranking`.
        region: like `map`.
    """
    hits, selected = hits_by_threshold(map, region)
    if not len(hits):
        return math.nan
    gains = torch.diff(hits, prepend=hits.new_zeros(1))
    return float((gains * hits / selected).sum() / hits[-1])
