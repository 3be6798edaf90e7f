"""Confidence of lung masks: how decided, how consistent and how lung-like they are."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from .lung_cleaning import largest_component
from .lung_masks import INSIDE

# Each part of the confidence rises linearly from 0 at the first value to 1 at the second.
_DECIDED = (0.55, 0.85)  # mean distance of the probabilities from 1/2, relative to 1/2
_AGREEMENT = (0.70, 0.93)  # Dice of the renderings with their mean
_SOLIDITY = (0.55, 0.80)  # area of a lung, share of its convex hull
_AREA = (0.015, 0.04)  # area of the smaller lung, share of the view
_RATIO = (0.10, 0.35)  # area of the smaller lung, share of the larger
_LEVEL = (0.60, 0.25)  # vertical distance of the lungs' centroids, share of their common height
_WHOLE = (0.5, 0.8)  # largest component, share of the lung


def lung_confidence(views: torch.Tensor) -> float:
    """Return the confidence of lung masks, in [0, 1].

    It is the product of: how decided the probabilities are; how well the renderings agree; and how lung-like the masks
    are (size, solidity, similar size and height, right and left in their places).

    Args:
        views: `(R, 4, h, w)` probabilities of the lung network's outputs, in each of R renderings of one view.
    """
    fields = views[:, :2]
    mean = fields.mean(0)
    inside = mean > INSIDE
    if not inside.flatten(1).any(1).all():
        return 0.0
    seen = mean.amax(0) > 0.05
    decided = (2 * mean.amax(0)[seen] - 1).abs().mean()
    sure = _ramp(float(decided), _DECIDED) * _ramp(_agreement(fields), _AGREEMENT)
    return sure * _lung_likeness(inside.numpy())


def _agreement(fields: torch.Tensor) -> float:
    """Return the mean Dice coefficient of each rendering with the mean of all."""
    mean = fields.mean(0, keepdim=True)
    shared = torch.minimum(fields, mean).sum((1, 2, 3))
    return float((2 * shared / (fields.sum((1, 2, 3)) + mean.sum()).clamp_min(1e-6)).mean())


def _lung_likeness(inside: np.ndarray) -> float:
    """Return how lung-like the masks `(2, h, w)` of right and left are, in [0, 1]."""
    lungs = [largest_component(mask) for mask in inside]
    areas = [float(lung.sum()) / lung.size for lung in lungs]
    centroids = [np.argwhere(lung).mean(0) for lung in lungs]
    rows = np.flatnonzero((lungs[0] | lungs[1]).any(1))
    level = abs(centroids[0][0] - centroids[1][0]) / (rows[-1] - rows[0] + 1)
    in_place = float(centroids[0][1] < centroids[1][1])
    whole = min(lung.sum() / mask.sum() for lung, mask in zip(lungs, inside))
    return (
        in_place
        * _ramp(min(_solidity(lung) for lung in lungs), _SOLIDITY)
        * _ramp(min(areas), _AREA)
        * _ramp(min(areas) / max(areas), _RATIO)
        * _ramp(level, _LEVEL)
        * _ramp(float(whole), _WHOLE)
    )


def _solidity(lung: np.ndarray) -> float:
    """Return the area of a lung as a share of its convex hull."""
    hull = np.zeros(lung.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(lung.astype(np.uint8))), 1)
    return float(lung.sum() / hull.sum())


def _ramp(value: float, between: tuple[float, float]) -> float:
    """Rise linearly from 0 at the first of two values to 1 at the second."""
    start, end = between
    return min(1.0, max(0.0, (value - start) / (end - start)))
