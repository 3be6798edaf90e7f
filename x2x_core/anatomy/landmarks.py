"""Landmarks of lung fields, on a patient's image and on the typical radiograph."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from .lung_cleaning import largest_component
from .lung_masks import INSIDE

# Lung fields of the typical radiograph, in its unit square: where NIH ChestX-ray14's boxes of effusions, infiltrates,
# pneumothoraces and hearts begin and end (chest wall near 0.10 and 0.90 of the width, apices near 0.10 and domes near
# 0.69 of the height). The outlines of `x2x_core.anatomy.outlines` are wider on purpose.
TYPICAL_FIELDS: dict[str, tuple[tuple[float, float], ...]] = {
    "right": (
        (0.330, 0.100), (0.250, 0.135), (0.180, 0.240), (0.135, 0.380), (0.110, 0.540), (0.100, 0.660), (0.095, 0.770),
        (0.140, 0.725), (0.210, 0.690), (0.290, 0.675), (0.370, 0.685), (0.405, 0.700), (0.400, 0.600), (0.410, 0.480),
        (0.425, 0.380), (0.430, 0.280), (0.430, 0.200), (0.415, 0.130), (0.380, 0.100),
    ),
    "left": (
        (0.670, 0.100), (0.750, 0.135), (0.820, 0.240), (0.865, 0.380), (0.890, 0.540), (0.900, 0.660), (0.905, 0.790),
        (0.860, 0.745), (0.800, 0.715), (0.755, 0.705), (0.735, 0.620), (0.680, 0.530), (0.620, 0.440), (0.600, 0.360),
        (0.595, 0.280), (0.585, 0.220), (0.580, 0.140), (0.620, 0.100),
    ),
}  # fmt: skip

RASTER = 256  # side length in pixels at which landmarks are located
_LEVELS = np.linspace(0.15, 0.95, 9)  # of chest wall and mediastinal border, from apex (0) to dome (1)
_COLUMNS = (0.25, 0.5, 0.75)  # of the dome, share of the lung's width
_WALL, _MEDIAL, _APEX, _DOME = 1.0, 0.3, 2.0, 1.5  # weights of the landmarks


def field_landmarks(field: np.ndarray, side: str, height: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Locate the landmarks of a lung field: apex, chest wall and mediastinal border at levels down to the dome, dome.

    Args:
        field: `(h, w)` bool, one component.
        side: "right" (its chest wall is on the left of the image) or "left".
        height: height of the lung in pixels if its base is hidden; ``None`` if the base is visible.

    Returns:
        Points `(N, 2)` (x, y) as shares of width and height, and their weights `(N,)`; a point that is hidden, or on
        the border of the image, where the lung is cut off, has the weight 0.
    """
    apex, base, visible = extent(field)
    rows, columns = np.flatnonzero(field.any(1)), np.flatnonzero(field.any(0))
    bottoms = len(field) - field[::-1].argmax(0)
    top = field[rows[0] : rows[0] + max(1, round(0.04 * visible))].any(0)
    levels = np.round(apex + _LEVELS * (height or visible)).astype(int)
    in_sight = levels < (base if height else rows[-1] + 1)
    edges = [np.flatnonzero(field[row])[[0, -1]] + (0, 1) for row in np.clip(levels, rows[0], rows[-1])]
    outer, inner = (0, 1) if side == "right" else (1, 0)
    points = [(np.flatnonzero(top).mean() + 0.5, apex)]
    points += [(edge[outer], row + 0.5) for edge, row in zip(edges, levels)]
    points += [(edge[inner], row + 0.5) for edge, row in zip(edges, levels)]
    dome = [columns[round(share * (len(columns) - 1))] for share in _COLUMNS]
    points += [(column + 0.5, float(bottoms[column])) for column in dome]
    dome_weights = [_DOME * (height is None)] * len(dome)
    weights = np.array([_APEX, *_WALL * in_sight, *_MEDIAL * in_sight, *dome_weights])
    shares = np.array(points, float) / (field.shape[1], field.shape[0])
    cut_off = ((shares < 0.5 / RASTER) | (shares > 1 - 0.5 / RASTER)).any(1)
    return shares, np.where(cut_off, 0.0, weights)


def extent(field: np.ndarray) -> tuple[float, float, float]:
    """Return the row of the apex, the row of the dome (median of the lowest pixels of the columns), and the height."""
    apex = float(field.any(1).argmax())
    bottoms = len(field) - field[::-1].argmax(0)
    base = max(float(np.median(bottoms[field.any(0)])), apex + 2)
    return apex, base, base - apex


def depth(field: np.ndarray) -> float:
    """Return how far a field extends below its apex in its deepest quarter of columns, in pixels."""
    bottoms = len(field) - field[::-1].argmax(0)
    return float(np.percentile(bottoms[field.any(0)], 75)) - float(field.any(1).argmax())


def raster_field(probability: torch.Tensor) -> np.ndarray | None:
    """Return the main component of a lung field `(1, 1, H, W)` at `RASTER` pixels; ``None`` if it is too small."""
    values = np.ascontiguousarray(probability[0, 0].numpy())
    field = np.asarray(cv2.resize(values, (RASTER, RASTER), interpolation=cv2.INTER_AREA)) > INSIDE
    if not field.any():
        return None
    main = largest_component(field)
    return main if main.any(1).sum() >= 8 and main.any(0).sum() >= 4 else None


def typical_landmarks(side: str) -> np.ndarray:
    """Return the landmarks `(N, 2)` of a lung field of the typical radiograph, in its unit square."""
    canvas = np.zeros((RASTER, RASTER), np.uint8)
    corners = np.round(np.array(TYPICAL_FIELDS[side]) * RASTER * 16 - 8).astype(np.int32)
    cv2.fillPoly(canvas, [corners], 1, cv2.LINE_8, 4)
    return field_landmarks(canvas > 0, side)[0]
