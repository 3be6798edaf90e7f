"""Cardiomegaly on a film: the heart's borders move outwards, over the lung beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from x2x_core.common.randomness import uniform
from x2x_core.imaging.soft import smoothstep

from .borders import heart_border, outer_border
from .chest import SIDES, FilmChest
from .fields import blur_line
from .parenchyma import fixed_grain, metal_of
from .warp import LEAST_DISPLACEMENT, move_but_grain

_SHARES = {"left": 0.85, "right": 0.15}  # of the growth that each border takes
_TOP = 0.36  # share of the lungs' height at which the heart begins
_WIDEST = 0.74  # share of the way from the heart's top to the dome at which it is widest
_ABOVE = 0.76  # height of the new contour above its widest place, likewise
_UNDER = 0.5  # and below it
_ROUNDNESS = 0.75  # exponent of its contour; 0.5 is an ellipse
_DRAWN_IN = 0.27  # share of its width by which a heart is drawn in
_MOST_ROUNDED = 1.25  # the most that a row of the border moves, as a share of the growth
_BAY = (0.05, 0.6)  # where the contour leaves the old border under the great vessels, shares of the way
_SMOOTH_MOVES = 9.0  # mm over which the moves of the rows are smoothed
_ABOVE_DOME = 60.0  # mm above the dome from which the displacement follows it
_BELOW = 16.0  # mm below the dome over which the displacement ends
_SMOOTH_DOME = 4.0  # mm over which the dome is smoothed
_SLOPE_MM = 15.0  # mm beside the heart over which its slope is measured
_STEEPEST = 0.6  # rows a column: the most that it is
_SUMMIT_MM = 20.0  # mm behind the heart over which it ends
_LOWEST = 0.28  # share of the lung's height, from its base, in which the corner of heart and dome is looked for
_LEAST_CORNER = 3.0  # mm that it leaves a straight line
_STEEPER = 1.6  # times by which the heart's border is steeper than the dome
_LEAST_DOME = 8.0  # mm between that corner and the angle
_SPINE = 14.0  # mm beside the midline that stay in place
_EDGE = (1.0, 6.0)  # mm beyond a border that moves outwards, from which and up to which it gives way to the lung
_STRETCHED = (2.0, 10.0)  # lung beside a border that moves inwards: times the move, and mm
_MOST = 0.6  # share of the lung beside the heart that a border may move over
_MOST_STRETCHED = 1.1  # share of its own width by which one side of the heart may grow


@dataclass(frozen=True)
class HeartSide:
    """One side of the heart, row by row, in pixels from the midline outwards; each `(H,)`."""

    border: np.ndarray
    wall: np.ndarray  # the lung's outer border
    still: float  # nothing moves nearer to the midline


@dataclass(frozen=True)
class FilmShift:
    """A shift of a film's pixels, and how much of what it moves hides what is there."""

    places: np.ndarray  # (2, H, W): rows and columns from each pixel to the place it is read from
    cover: np.ndarray  # (H, W) in [0, 1]: below 1 beyond a body that moves over what is beside it


def draw_cardiomegaly(chest: FilmChest, grey: np.ndarray, *, severity: float, generator: torch.Generator) -> np.ndarray:
    """Enlarge the heart by moving the film's pixels: its borders go outwards with their own texture, most to the left.

    The new borders are convex and rounded, and go around the old ones. The displacement is horizontal, and near the
    dome it runs along the dome, which therefore keeps its place. It is largest at the heart's border and none at the
    spine, above the heart and well below the dome, so the heart is stretched. It hides the lung that it moves over, and
    the lung beyond it stays as it is. So does the film's grain, or it would be drawn out to lines.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        severity: in (0, 1]: sets the cardiothoracic ratio, from 0.5 to about 0.7.
        generator: draws the ratio's variation.
    """
    return shift_film(chest, grey, heart_shift(chest, severity=severity, generator=generator))


def shift_film(chest: FilmChest, grey: np.ndarray, shift: FilmShift) -> np.ndarray:
    """Return a film `(H, W)` whose pixels are read from other places; its grain and metal stay.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        shift: of its pixels.
    """
    metal = metal_of(grey)
    moved = move_but_grain(grey, shift.places, fixed_grain(chest, grey - metal), metal)
    moved = np.where(shift.cover < 1, np.maximum(moved, grey), moved)  # beyond a border nothing becomes darker
    return (grey + shift.cover * (moved - grey)).astype(np.float32)


def heart_shift(chest: FilmChest, *, severity: float, generator: torch.Generator) -> FilmShift:
    """Return the shift that enlarges the heart.

    Args:
        chest: the film's anatomy.
        severity: in (0, 1].
        generator: draws the ratio's variation.
    """
    return _shift(chest, lambda borders, way: _growth(chest, borders, way, severity, generator))


def smaller_heart_shift(chest: FilmChest) -> FilmShift:
    """Return the shift that draws the borders of a heart in; the lung beside it is stretched.

    All rows move in proportion to their distance from the midline, by what undoes a severe enlargement. How enlarged a
    heart is cannot be measured on a film of unknown inspiration, so this is the most that a removal may move.
    """
    return _shift(chest, lambda borders, way: -_DRAWN_IN * _width(borders, way))


def _way(chest: FilmChest) -> np.ndarray:
    """Return the place of each row on the way from the heart's top, 0, to the dome, 1, `(H,)`."""
    top = min(lung.apex for lung in chest.lungs.values())
    bottom = max(int(lung.dome.max()) for lung in chest.lungs.values())
    heart_top = top + _TOP * (bottom - top)
    return (np.arange(chest.shape[0]) - heart_top) / (bottom - heart_top)


def _thorax(chest: FilmChest) -> float:
    """Return the width of the thorax in pixels."""
    columns = np.flatnonzero((chest.lungs["left"].mask | chest.lungs["right"].mask).any(axis=0))
    return float(columns[-1] - columns[0])


def _width(borders: dict[str, np.ndarray], way: np.ndarray) -> float:
    """Return the width of the heart in pixels."""
    heart = (way > 0.1) & (way < 1)
    return float(borders["left"][heart].max() - borders["right"][heart].min())


def _shift(chest: FilmChest, growth_of: Callable[[dict[str, np.ndarray], np.ndarray], float]) -> FilmShift:
    """Return the shift of a heart that grows by some pixels in width, or shrinks (below 0)."""
    outer = {side: outer_border(chest, side) for side in SIDES}
    borders = {side: heart_border(chest, side) for side in SIDES}
    middle = float(np.median((borders["left"] + borders["right"]) / 2))
    way = _way(chest)
    growth = growth_of(borders, way)
    places, cover = np.zeros((2, *chest.shape)), np.ones(chest.shape)
    for side, share in _SHARES.items():
        outwards = 1 if side == "left" else -1
        heart = HeartSide(outwards * (borders[side] - middle), outwards * (outer[side] - middle), _SPINE / chest.mm)
        moved = _moved(chest, heart.border, way, growth * share)
        from_middle = outwards * (chest.grid[1] - middle)
        right, own_cover = (_stretched if growth < 0 else _moved_over)(chest, heart, from_middle, moved)
        places += _along_the_dome(chest, side, outwards * right)
        cover = np.where(from_middle > 0, own_cover, cover)
    places[np.abs(places) < LEAST_DISPLACEMENT] = 0
    return FilmShift(places, cover)


def _along_the_dome(chest: FilmChest, side: str, right: np.ndarray) -> np.ndarray:
    """Return a displacement `(2, H, W)` that follows a dome near it, so that the dome is mapped to itself.

    Below the dome it ends, or it would draw along the gas of the stomach.

    Args:
        chest: the film's anatomy.
        side: of the patient.
        right: `(H, W)`, columns from each pixel to the place it is read from.
    """
    rows, columns = chest.grid
    dome = _whole_dome(chest, side)
    above = (dome - rows) * chest.mm
    right = right * smoothstep(1 + above / _BELOW)
    steeper = np.interp(columns + right, np.arange(len(dome)), dome) - dome
    return np.stack([steeper * smoothstep(1 - above / _ABOVE_DOME), right])


def _whole_dome(chest: FilmChest, side: str) -> np.ndarray:
    """Return the row of a dome in each column, `(W,)`, smoothed.

    It goes from the corner beside the heart down to the costophrenic angle, and behind the heart up to a summit, by the
    slope that it has beside it. Where there is no corner, because the heart hides the dome, it is level.
    """
    lung, columns = chest.lungs[side], np.arange(chest.shape[1])
    angle, corner = int(lung.dome.argmax()), _cardiophrenic_corner(chest, side)
    if corner is None:
        return np.full(len(columns), float(lung.dome[angle]))
    known = np.flatnonzero(lung.dome >= 0)
    first, last = min(corner, angle), max(corner, angle)
    rows = np.asarray(np.interp(columns.clip(first, last), known, lung.dome[known]))
    beside = (1 if side == "left" else -1) * (columns - corner)
    near = (beside >= 0) & (beside < max(4, _SLOPE_MM / chest.mm))
    slope = min(max(float(np.polyfit(beside[near], rows[near], 1)[0]), 0.0), _STEEPEST)
    summit = _SUMMIT_MM / chest.mm
    return blur_line(rows - slope * summit * (1 - np.exp(beside.clip(max=0) / summit)), _SMOOTH_DOME / chest.mm)


def _cardiophrenic_corner(chest: FilmChest, side: str) -> int | None:
    """Return the column in which a lung's border turns from the heart to the dome; ``None`` if it does not turn.

    It is the point furthest from the line between the heart's border above it and the costophrenic angle.
    """
    lung, outwards = chest.lungs[side], 1 if side == "left" else -1
    angle, top = int(lung.dome.argmax()), int(lung.base - _LOWEST * lung.height)
    inside = np.flatnonzero(lung.mask[top])
    medial = int(inside[0] if side == "left" else inside[-1])
    rows, columns = np.nonzero(lung.mask[top:])
    across, down = outwards * (angle - medial), float(lung.dome[angle] - top)
    distance = (rows * across - outwards * (columns - medial) * down) / np.hypot(across, down)
    furthest = int(distance.argmax())
    row, corner = float(rows[furthest]), int(columns[furthest])
    beside = outwards * (angle - corner)
    heart, dome = (fall / max(width, 1) for fall, width in ((row, outwards * (corner - medial)), (down - row, beside)))
    turns = distance[furthest] * chest.mm >= _LEAST_CORNER and heart > _STEEPER * dome
    return corner if turns and beside * chest.mm >= _LEAST_DOME else None


def _moved(chest: FilmChest, border: np.ndarray, way: np.ndarray, growth: float) -> np.ndarray:
    """Return by how many pixels a border moves outwards in each row, `(H,)`: up to a rounded contour around it.

    Args:
        chest: the film's anatomy.
        border: `(H,)`, pixels from the midline outwards.
        way: `(H,)`, 0 at the heart's top and 1 at the dome.
        growth: how far the border's widest place moves, in pixels; below 0 inwards, and the others in proportion.
    """
    heart = (way > 0.1) & (way < 1)
    widest = float(border[heart].max())
    leaving = ((way - _BAY[0]) / (_BAY[1] - _BAY[0])).clip(0, 1)
    if growth < 0:
        moves = growth * (border / widest).clip(0, 1)
    else:
        apart = np.where(way < _WIDEST, (_WIDEST - way) / _ABOVE, (way - _WIDEST) / _UNDER).clip(0, 1)
        contour = (widest + growth) * (1 - apart**2) ** _ROUNDNESS
        moves = (contour - border).clip(0, _MOST_ROUNDED * growth)
    return blur_line(moves * smoothstep(leaving), _SMOOTH_MOVES / chest.mm)


def _moved_over(
    chest: FilmChest, heart: HeartSide, outwards: np.ndarray, moved: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many pixels further outwards each pixel is read if a border moves over the lung, at most 0.

    Args:
        chest: the film's anatomy.
        heart: one of its sides.
        outwards: `(H, W)`, pixels from the midline.
        moved: `(H,)`, by how many pixels the border moves.

    Returns:
        The displacement and the cover, see `FilmShift`, each `(H, W)`.
    """
    still, border, _, new = _columns(chest, heart, moved)
    within = _cubic(outwards, (still, new), (still, border), (np.ones_like(new), np.ones_like(new)))
    beyond = (outwards - new) * chest.mm
    source = np.where(beyond < 0, within, outwards - (new - border))
    start, end = _EDGE
    reached = (outwards > still) & (beyond < end)
    return np.where(reached, source - outwards, 0), 1 - smoothstep((beyond - start) / (end - start))


def _stretched(
    chest: FilmChest, heart: HeartSide, outwards: np.ndarray, moved: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many pixels further outwards each pixel is read if a border moves inwards, as `_moved_over` does.

    The lung is stretched beside the border, and stays further away. Each row maps the new place of spine, border and
    the end of the stretched lung to the old one by a monotone cubic of slope 1 at both ends.
    Method: Fritsch and Carlson, *Monotone piecewise cubic interpolation*, SIAM Journal on Numerical Analysis 1980.
    """
    still, border, wall, new = _columns(chest, heart, moved)
    wall = np.minimum(wall, border + _STRETCHED[0] * (border - new) + _STRETCHED[1] / chest.mm)
    pressed, stretched = (border - still) / (new - still), (wall - border) / (wall - new)
    slope = 2 * pressed * stretched / (pressed + stretched)
    within = _cubic(outwards, (still, new), (still, border), (np.ones_like(slope), slope))
    beyond = _cubic(outwards, (new, wall), (border, wall), (slope, np.ones_like(slope)))
    source = np.where(outwards < new, within, beyond)
    return np.where((outwards > still) & (outwards < wall), source - outwards, 0), np.ones(chest.shape)


def _columns(
    chest: FilmChest, heart: HeartSide, moved: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the places of spine, border, wall and the border moved, each `(H, 1)`, pixels from the midline."""
    border = np.maximum(heart.border, heart.still + 8 / chest.mm)
    wall = np.maximum(heart.wall, border + 12 / chest.mm)
    most = np.minimum(_MOST * (wall - border), _MOST_STRETCHED * (border - heart.still))
    new = border + most * np.tanh(moved / most)
    return np.full((len(border), 1), heart.still), border[:, None], wall[:, None], new[:, None]


def _cubic(
    at: np.ndarray,
    places: tuple[np.ndarray, np.ndarray],
    values: tuple[np.ndarray, np.ndarray],
    slopes: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return the cubic Hermite polynomial through two places with given values and slopes."""
    span = places[1] - places[0]
    share = ((at - places[0]) / span).clip(0, 1)
    square, cube = share**2, share**3
    ends = (2 * cube - 3 * square + 1) * values[0] + (3 * square - 2 * cube) * values[1]
    return ends + span * ((cube - 2 * square + share) * slopes[0] + (cube - square) * slopes[1])


def _growth(
    chest: FilmChest, borders: dict[str, np.ndarray], way: np.ndarray, severity: float, generator: torch.Generator
) -> float:
    """Return by how many pixels the heart grows wider, to reach the cardiothoracic ratio of a severity."""
    width, thorax = _width(borders, way), _thorax(chest)
    variation = uniform(0.98, 1.02, generator)
    ratio = min(0.46 + 0.33 * severity * variation, 0.78)
    wanted = (ratio * thorax - width) * chest.mm
    return min(max(wanted, (2 + 18 * severity) * variation), (6 + 72 * severity) * variation) / chest.mm
