"""The lower border of a lung field, where the image shows it: the edge of the dome between lung and abdomen.

A network that has learnt from projected bodies draws a lung as far as the recess reaches behind the dome, and may take
gas under a dome for lung. The edge is found near the outline's lower border by dynamic programming over the columns.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from .lung_cleaning import largest_component, reduced
from .lung_masks import INSIDE

_UP, _DOWN = 0.16, 0.03  # where the edge is sought above and below the outline's border, shares of the field's height
_NEAR = 0.25  # loss of an edge for its distance from the outline's border, per height of the field
_STEP = 3  # rows by which the edge may rise or fall from one column to the next
_SMOOTH = 0.048  # loss for each of these rows
_STRONGEST = 1.2  # of an edge
_FAINTEST = 0.12  # median of an edge below which the outline stays as it is
_OUTSIDE = -9.0  # gain of a place where no border can be
_BLUR = 0.01  # standard deviation of the blur under which edges are measured, share of the field's height
_UNDER = 20  # rows under the field whose grey stands for the abdomen
_FLATTEST = 0.05  # step of grey from lung to abdomen below which edges are not exaggerated further
_USUAL = 0.16  # step of grey where the field reaches the image's lower border
_FAR = 0.08  # depth under a dome, share of the field's height, from which a part is cut off
_SMALLEST = 20, 12  # rows and columns of a field that is worth the search


def end_at_domes(probabilities: torch.Tensor, grey: torch.Tensor) -> torch.Tensor:
    """Return probabilities `(1, 4, h, w)` whose fields are 0 where they reach far under a dome of the image.

    Args:
        probabilities: of the outputs of the lung network.
        grey: the image `(1, 1, h, w)` in [0, 1].
    """
    cleaned = probabilities.clone()
    image = reduced(grey[0, 0].numpy())
    for field in cleaned[0, :2]:
        inside = reduced((field > INSIDE).numpy()) > 0.5
        far = _far_under(inside, above_dome(image, inside))
        if far.any():
            kept = cv2.dilate(_without_strips(inside & ~far).astype(np.uint8), np.ones((3, 3), np.uint8))
            size = tuple(field.shape)[::-1]
            field[torch.from_numpy(cv2.resize(kept, size, interpolation=cv2.INTER_NEAREST) == 0)] = 0
    return cleaned


def _far_under(field: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return the parts of a field beyond its dome that are at least `_FAR` deep, with their edges, bool."""
    beyond = (field & ~above).astype(np.uint8)
    side = 2 * round(_FAR / 2 * np.count_nonzero(field.any(1))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return (cv2.dilate(cv2.morphologyEx(beyond, cv2.MORPH_OPEN, disc), disc) & beyond) > 0


def above_dome(grey: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Return the part of a lung field above the visible dome.

    Args:
        grey: the image `(h, w)` float32 in [0, 1], bones bright or dark.
        field: `(h, w)` bool.

    Returns:
        The part `(h, w)` bool; all of the field if it is very small, or if there is no such edge.
    """
    columns, rows = (np.flatnonzero(field.any(axis)) for axis in (0, 1))
    if len(rows) < _SMALLEST[0] or len(columns) < _SMALLEST[1]:
        return field
    top = field.argmax(0)[columns]
    bottom = len(field) - 1 - field[::-1].argmax(0)[columns]
    height = len(rows)
    edges = _edges(grey, field, height)[:, columns]
    offsets = np.arange(int(-_UP * height), int(_DOWN * height) + 2)
    places = bottom[:, None] + offsets  # (columns, offsets)
    across = np.arange(len(columns))
    gains = np.clip(edges[places.clip(0, len(field) - 1), across[:, None]], 0, _STRONGEST)
    gains -= _NEAR * np.abs(offsets) / height
    gains[(places <= top[:, None] + 2) | (places >= len(field) - 2)] = _OUTSIDE
    border = offsets[_best_path(gains, bottom)] + bottom
    if np.median(edges[border.clip(0, len(field) - 1), across]) < _FAINTEST:
        return field
    return _cut_at(field, columns, cv2.medianBlur(border.astype(np.float32)[None], 5)[0].astype(int))


def _edges(grey: np.ndarray, field: np.ndarray, height: int) -> np.ndarray:
    """Return the change of grey downwards per tenth of the field's height, as share of the step to the abdomen."""
    smooth = cv2.GaussianBlur(grey, (0, 0), max(0.5, _BLUR * height))
    last = int(np.flatnonzero(field.any(1))[-1]) + 4
    below = smooth[last : last + _UNDER, field.any(0)]
    step = float(np.median(below) - np.median(smooth[field])) if len(below) > 2 else _USUAL
    step = float(np.copysign(max(abs(step), _FLATTEST), step))
    return np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)) / 8 / step * height / 10


def _best_path(gains: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Return the best offset's number in each column of `gains` `(columns, offsets)`; offsets count from `bottom`."""
    count = gains.shape[1]
    steps = np.arange(-_STEP, _STEP + 1)
    total, origins = gains[0], []
    for number in range(1, len(gains)):
        same_row = np.arange(count) + bottom[number] - bottom[number - 1]
        before = same_row[:, None] + steps
        reached = np.where((before >= 0) & (before < count), total[before.clip(0, count - 1)], -np.inf)
        reached = reached - _SMOOTH * np.abs(steps)
        best = reached.argmax(1)
        value, origin = reached.max(1), np.take_along_axis(before, best[:, None], 1)[:, 0]
        torn = ~np.isfinite(value)  # the outline itself jumps further than the edge may
        value[torn], origin[torn] = total[same_row[torn].clip(0, count - 1)] - 1, same_row[torn].clip(0, count - 1)
        total = gains[number] + value
        origins.append(origin)
    path = [int(total.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return np.array(path[::-1])


def _cut_at(field: np.ndarray, columns: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Return the part of a field above a border, one row for each of some columns, without the strips that remain."""
    above = field.copy()
    above[:, columns] &= np.arange(len(field))[:, None] <= border
    return _without_strips(above)


def _without_strips(field: np.ndarray) -> np.ndarray:
    opened = cv2.morphologyEx(field.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return largest_component(opened) if opened.any() else field
