"""Borders of the lungs on a film, row by row: the chest wall, and the heart with the mediastinum."""

from __future__ import annotations

import numpy as np

from .chest import FilmChest
from .fields import blur_line

_DIAPHRAGM_SLOPE = 1.4  # columns per row from which the lung's border is the diaphragm, not the heart


def outer_border(chest: FilmChest, side: str) -> np.ndarray:
    """Return the column of the lung's outer border in each row, `(H,)`, smoothed over 8 mm."""
    mask = chest.lungs[side].mask
    rows = np.flatnonzero(mask.any(axis=1))
    last = mask.shape[1] - 1
    columns = mask[rows].argmax(axis=1) if side == "right" else last - mask[rows][:, ::-1].argmax(axis=1)
    return blur_line(np.interp(np.arange(mask.shape[0]), rows, columns), 8 / chest.mm)


def heart_border(chest: FilmChest, side: str) -> np.ndarray:
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
    return blur_line(border, 4 / chest.mm)
