"""Cardiomegaly on a film: the heart's borders move outwards over the lungs."""

from __future__ import annotations

import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .chest import SIDES, FilmChest
from .fields import blur, blur_line, grow
from .tone import add_thickness

_SHARES = {"left": 0.74, "right": 0.26}  # of the growth that each border takes
_TOP = 0.40  # share of the lungs' height at which the heart begins
_WIDEST = 0.74  # share of the way from the heart's top to the domes at which it is widest
_SPREAD = 0.30  # of the bulge along that way
_DIAPHRAGM_SLOPE = 1.4  # columns per row from which the lung's border is the diaphragm, not the heart
_OPAQUE = 3.0  # optical thickness of the enlarged heart
_DEPTH = 18.0  # mm inside the new border where the heart is at its full thickness, beyond its growth


def draw_cardiomegaly(chest: FilmChest, grey: np.ndarray, *, severity: float, generator: torch.Generator) -> np.ndarray:
    """Draw an enlarged heart: a larger silhouette of the heart's own grey, most to the left.

    The old border disappears under the new heart, so that there is no double contour.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        severity: in (0, 1]: sets the cardiothoracic ratio, from 0.5 to about 0.7.
        generator: draws the ratio's variation.
    """
    borders = {side: _border(chest, side) for side in SIDES}
    top = min(lung.apex for lung in chest.lungs.values())
    bottom = max(int(lung.dome.max()) for lung in chest.lungs.values())
    heart_top = top + _TOP * (bottom - top)
    way = (np.arange(chest.shape[0]) - heart_top) / (bottom - heart_top)
    bulge = np.exp(-(((way - _WIDEST) / _SPREAD) ** 2))
    growth = _growth(chest, borders, way, severity, generator)
    near_lung = grow(chest.lungs["left"].mask | chest.lungs["right"].mask, max(1, int(2.5 / chest.mm)))
    within = blur(near_lung, 1.2 / chest.mm)
    for side, share in _SHARES.items():
        moved = growth * share * bulge
        thickness = _thickness(chest, borders[side], moved, side)
        half = _half(chest, borders, side) & (chest.grid[0] > heart_top - 10 / chest.mm)
        grey = add_thickness(
            grey, thickness * within * blur(half, 1.5 / chest.mm), _heart_grey(chest, borders[side], side)
        )
    return grey


def _heart_grey(chest: FilmChest, border: np.ndarray, side: str) -> np.ndarray:
    """Return the heart's own grey in each row, `(H, 1)`: the median from 4 to 20 mm inside its border, smoothed."""
    inside = (border[:, None] - chest.grid[1]) * (1 if side == "left" else -1) * chest.mm
    strip = np.where((inside > 4) & (inside < 20), chest.grey, np.nan)
    known = ~np.isnan(strip).all(axis=1)
    values = np.full(len(border), chest.tissue)
    values[known] = np.nanmedian(strip[known], axis=1)
    return blur_line(values, 10 / chest.mm)[:, None]


def _border(chest: FilmChest, side: str) -> np.ndarray:
    """Return the column of the heart's border in each row, `(H,)`, smoothed over 6 mm.

    It is the medial border of the lung down to the cardiophrenic angle, and goes straight down from there.
    """
    mask = chest.lungs[side].mask
    rows = np.flatnonzero(mask.any(axis=1))
    last = mask.shape[1] - 1
    columns = last - mask[rows][:, ::-1].argmax(axis=1) if side == "right" else mask[rows].argmax(axis=1)
    border = blur_line(np.interp(np.arange(mask.shape[0]), rows, columns), 6 / chest.mm)
    outwards = np.gradient(border) * (1 if side == "left" else -1)
    flat = np.flatnonzero((outwards > _DIAPHRAGM_SLOPE) & (np.arange(len(border)) > rows[0] + 0.5 * len(rows)))
    if len(flat):
        border[flat[0] :] = border[flat[0]]
    return border


def _growth(
    chest: FilmChest, borders: dict[str, np.ndarray], way: np.ndarray, severity: float, generator: torch.Generator
) -> float:
    """Return by how many pixels the heart grows wider, to reach the cardiothoracic ratio of a severity."""
    heart = (way > 0.1) & (way < 1)
    width = float(borders["left"][heart].max() - borders["right"][heart].min())
    columns = np.flatnonzero((chest.lungs["left"].mask | chest.lungs["right"].mask).any(axis=0))
    variation = uniform(0.9, 1.1, generator)
    ratio = min(0.48 + 0.23 * severity * variation, 0.8)
    return max(ratio * float(columns[-1] - columns[0]) - width, (6 + 22 * severity) * variation / chest.mm)


def _thickness(chest: FilmChest, border: np.ndarray, moved: np.ndarray, side: str) -> np.ndarray:
    """Return the optical thickness of the heart inside its new border, `(H, W)`: a rounded edge."""
    outwards = 1 if side == "left" else -1
    new = blur_line(border + outwards * moved, 4 / chest.mm)
    inside = outwards * (new[:, None] - chest.grid[1]) * chest.mm
    share = (inside / (np.abs(new - border)[:, None] * chest.mm + _DEPTH)).clip(0, 1)
    chord = np.sqrt(share * (2 - share))
    grown = (moved[:, None] * chest.mm / 2).clip(0, 1)  # where the border stays, nothing is added
    return blur(_OPAQUE * chord**0.85 * grown * (inside > 0), 0.8 / chest.mm)


def _half(chest: FilmChest, borders: dict[str, np.ndarray], side: str) -> np.ndarray:
    """Return the side of the midline between the lungs that a border lies on, `(H, W)` bool."""
    middle = float(np.median((borders["left"] + borders["right"]) / 2))
    return chest.grid[1] > middle if side == "left" else chest.grid[1] < middle
