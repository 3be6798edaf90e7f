"""Overlap of an attention map with a region, as MedEBench diagnoses where a model looks."""

from __future__ import annotations

import math

import torch

from .map_ranking import flat_map_and_region

LEVEL = 0.5  # of the map, stretched to [0, 1]


def attention_iou(map: torch.Tensor, region: torch.Tensor) -> float:
    """Return `|A & R| / |A | R|` for the pixels A of a map above the middle of its range, in [0, 1].

    MedEBench (Liu et al., 2025) stretches attention maps to [0, 1] and reports their overlap with the region of
    interest. It does not print the level; `x2x_core.evaluation.metrics.best_iou` is the overlap at the best one.

    Args:
        map: see `x2x_core.evaluation.metrics.map_ranking`; a constant one overlaps with nothing.
        region: like `map`.
    """
    values, inside = flat_map_and_region(map, region)
    if not inside.any():
        return math.nan
    low, high = values.min(), values.max()
    attended = values > low + LEVEL * (high - low)
    return float((attended & inside).sum()) / float((attended | inside).sum())
