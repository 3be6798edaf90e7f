"""Lung fields of films as a reader sees them: without tails, and down to the edge of the dome that the film shows.

A network that has learnt from projected bodies draws a lung as far as the recess reaches behind the dome, and takes gas
under a dome for lung. On a film the dome is an edge from dark to bright, which is found here near the outline's lower
border by dynamic programming over the columns.
"""

from __future__ import annotations

import cv2
import numpy as np

from x2x_core.anatomy.lung_cleaning import largest_component

TAILS = ((0.17, 0.05), (0.10, 0.07))  # right, left: width of tails, and how far they may reach, shares of the height
_SPIKE = (0.05, 0.02)  # the same in the upper part of a field
_UPPER = 0.55  # share of a field's height that counts as its upper part
_UP, _DOWN = 0.16, 0.03  # where the edge is sought above and below the lower border, shares of the field's height
_NEAR = 0.25  # loss of an edge for its distance from the border, per height of the field
_STEP = 3  # rows by which the edge may rise or fall from one column to the next
_SMOOTH = 0.048  # loss for each of these rows
_STRONGEST = 1.2  # of an edge
_FAINTEST = 0.12  # median of an edge below which the border stays as it is
_OUTSIDE = -9.0  # of a place where no border can be
_BLUR = 1.6  # standard deviation in pixels at which edges are measured
_SMALLEST = 20, 12  # rows and columns of a field that is worth the search


def without_long_tails(field: np.ndarray, width: float, reach: float) -> np.ndarray:
    """Return a field `(h, w)` bool without its narrow parts: tails below, and spikes above, which are cut more loosely.

    Args:
        field: `(h, w)` bool.
        width: of tails, share of the field's height.
        reach: how far a tail may extend from the rest of the field, likewise.
    """
    rows = np.flatnonzero(field.any(1))
    if not len(rows):
        return field
    field = largest_component(field)
    height = rows[-1] - rows[0] + 1
    lower, upper = (field & _near_wide(field, *(share * height for share in cut)) for cut in ((width, reach), _SPIKE))
    middle = rows[0] + int(_UPPER * height)
    kept = np.concatenate([upper[:middle], lower[middle:]])
    return largest_component(kept) if kept.any() else kept


def _near_wide(field: np.ndarray, width: float, reach: float) -> np.ndarray:
    """Return what is within `reach` pixels of the parts of a field that are at least `width` wide."""
    margin = field.shape[0] // 6  # a lung that the picture cuts goes on beyond it
    padded = np.pad(field.astype(np.uint8), margin, mode="edge")
    wide = cv2.morphologyEx(padded, cv2.MORPH_OPEN, _disc(width / 2))
    near = cv2.dilate(largest_component(wide).astype(np.uint8), _disc(reach)) if wide.any() else wide
    return near[margin:-margin, margin:-margin] > 0


def _disc(radius: float) -> np.ndarray:
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def to_visible_border(film: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Move a field's lower border to the strongest edge from dark to bright near it.

    Args:
        film: `(h, w)` uint8, bones bright.
        field: `(h, w)` bool.

    Returns:
        The field `(h, w)` bool; unchanged if it is very small, or if there is no such edge.
    """
    columns, rows = (np.flatnonzero(field.any(axis)) for axis in (0, 1))
    if len(rows) < _SMALLEST[0] or len(columns) < _SMALLEST[1]:
        return field
    field = largest_component(field)
    columns = np.flatnonzero(field.any(0))
    top = field.argmax(0)[columns]
    bottom = len(field) - 1 - field[::-1].argmax(0)[columns]
    height = int(bottom.max() - top.min()) + 1
    edges = _edges(film, field, height)[:, columns]
    offsets = np.arange(int(-_UP * height), int(_DOWN * height) + 2)
    places = bottom[:, None] + offsets  # (columns, offsets)
    found = edges[places.clip(0, len(field) - 1), np.arange(len(columns))[:, None]]
    gains = np.clip(found, 0, _STRONGEST) - _NEAR * np.abs(offsets) / height
    gains[(places <= top[:, None] + 2) | (places >= len(field) - 2)] = _OUTSIDE
    border = offsets[_best_path(gains, bottom)] + bottom
    if np.median(edges[border.clip(0, len(field) - 1), np.arange(len(columns))]) < _FAINTEST:
        return field
    return _cut_at(field, columns, bottom, cv2.medianBlur(border.astype(np.float32)[None], 5)[0].astype(int))


def _edges(film: np.ndarray, field: np.ndarray, height: int) -> np.ndarray:
    """Return the rise of grey downwards per tenth of the field's height, as share of the step from lung to abdomen."""
    smooth = cv2.GaussianBlur(film.astype(np.float32), (0, 0), _BLUR)
    last = int(np.flatnonzero(field.any(1))[-1]) + 4
    lung, below = float(np.median(smooth[field])), smooth[last : last + 20, field.any(0)]
    step = float(np.median(below)) - lung if len(below) > 2 else 40.0
    return np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)) / 8 / max(abs(step), 12.0) * height / 10


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
        torn = ~np.isfinite(value)  # the border itself jumps further than the edge may
        value[torn], origin[torn] = total[same_row[torn].clip(0, count - 1)] - 1, same_row[torn].clip(0, count - 1)
        total = gains[number] + value
        origins.append(origin)
    path = [int(total.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return np.array(path[::-1])


def _cut_at(field: np.ndarray, columns: np.ndarray, bottom: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Return the field with its lower border, one row for each column, in another place."""
    rows = np.arange(len(field))[:, None]
    moved = field.copy()
    moved[:, columns] &= rows <= border
    moved[:, columns] |= (rows >= bottom) & (rows <= border)
    opened = cv2.morphologyEx(moved.astype(np.uint8), cv2.MORPH_OPEN, _disc(2))
    return largest_component(opened) if opened.any() else moved
