"""Soft tissue around a lung: its grey, which fluid and dense lung take, and the borders they hide."""

from __future__ import annotations

import numpy as np

from x2x_core.imaging.continuation import continue_field

from .chest import FilmChest, FilmLung
from .fields import blur, blur_line, distance_inside, grow

_DARKEST_BELOW = 0.6  # share of the way from lung to soft tissue under which tissue below the dome is gas
_UNDER_DOME = (4.0, 18.0)  # mm below the dome in which its grey is measured
_ALONG_DOME = 12.0  # mm over which that grey is smoothed
_STEEPEST_DOME = 1.1  # rows a column
_SURELY_DOME = 0.3  # share of a lung's width from the chest wall at which its lower border is the dome
_SMOOTH_DOME = 0.015  # share of a lung's width over which that border is smoothed
_OVERLAP = 7.5  # mm by which diseased lung overlaps the tissue beside it


def touching_tissue(chest: FilmChest, lung: FilmLung, darkest: float = 0.0) -> np.ndarray:
    """Return the grey of the soft tissue that a lung touches, `(H, W)`: of heart, dome and chest wall, carried inwards.

    It is carried on as `FilmChest.tissue_field` is, with the chest wall and the tissue directly under the dome as
    further sources.

    Args:
        chest: the film's anatomy.
        lung: the lung.
        darkest: share of the way from lung to soft tissue under which neighbours do not count; gas under the dome
            never counts.
    """
    return chest.once(f"touching tissue {lung.side} {darkest}", lambda: _touching_tissue(chest, lung, darkest))


def _touching_tissue(chest: FilmChest, lung: FilmLung, darkest: float) -> np.ndarray:
    mm, rows = chest.mm, chest.grid[0]
    around = grow(lung.mask, round(9 / mm)) & ~grow(lung.mask, round(2 / mm))
    dome = dome_rows(lung)
    other = chest.lungs["left" if lung.side == "right" else "right"].mask
    sources = around & ~grow(other, round(4 / mm))
    sources &= (rows < dome + 12 / mm) | chest.tissue_sources | chest.mediastinum
    darkest_above = chest.ceiling(darkest) if darkest else 0.0
    least = np.where(rows < dome, darkest_above, chest.ceiling(max(darkest, _DARKEST_BELOW)))
    sources &= chest.grey > least
    sigmas = [scale / mm for scale in (45, 20, 10, 5, 2.5)]
    field = continue_field(chest.grey, sources.astype(np.float32), chest.tissue_field, sigmas, 0.15)
    return np.minimum(blur(field, 2 / mm), np.maximum(chest.tissue_field, chest.brightest_tissue))


def overlapping(chest: FilmChest, lung: FilmLung, *, dome: bool) -> np.ndarray:
    """Return a lung field that fades over the mediastinum instead of ending before it, `(H, W)` in [0, 1].

    Lung lies in front of and behind the heart; an outline that is found leaves a gap beside it.

    Args:
        chest: the film's anatomy.
        lung: the lung.
        dome: the field also fades over the dome.
    """
    return chest.once(f"overlapping {lung.side} {dome}", lambda: _overlapping(chest, lung, dome))


def _overlapping(chest: FilmChest, lung: FilmLung, dome: bool) -> np.ndarray:
    near = np.exp(-((distance_inside(~lung.mask) * chest.mm / _OVERLAP) ** 2))
    tissue = chest.mediastinum.copy()
    if dome:
        below = (chest.grid[0] > dome_rows(lung)) & (lung.dome >= 0)
        tissue |= below
    return np.maximum(blur(lung.soft, 0.7 / chest.mm), near * blur(tissue | lung.mask, 1.0 / chest.mm))


def dome_grey(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return the grey of the tissue under a lung's dome in each column, `(W,)`, smoothed; gas does not count."""
    return chest.once(f"dome grey {lung.side}", lambda: _dome_grey(chest, lung))


def _dome_grey(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    below = chest.grid[0] - dome_rows(lung)
    under = (below > _UNDER_DOME[0] / chest.mm) & (below < _UNDER_DOME[1] / chest.mm) & (lung.dome >= 0)
    under &= chest.grey > chest.ceiling(_DARKEST_BELOW)
    counts, sums = under.sum(axis=0), np.where(under, chest.grey, 0).sum(axis=0)
    sigma = _ALONG_DOME / chest.mm
    known = blur_line(counts, sigma)
    smooth = blur_line(sums, sigma) / np.maximum(known, 1e-6)
    return np.where(known > 1e-3, smooth, chest.tissue).astype(np.float32)


def dome_rows(lung: FilmLung) -> np.ndarray:
    """Return the row of the dome in each column, `(W,)`, carried on beside it."""
    dome = dome_columns(lung)
    return np.interp(np.arange(len(lung.dome)), dome, lung.dome[dome])


def dome_columns(lung: FilmLung) -> np.ndarray:
    """Return the columns in which a lung's lower border is its dome, `(n,)` with at least one.

    That is where it is not steep: nearer to the midline it is the border of heart or spine, at the wall that of the
    chest.
    """
    known = np.flatnonzero(lung.dome >= 0)
    rows = lung.dome[known].astype(np.float64)
    steep = np.abs(np.gradient(blur_line(rows, max(1.0, _SMOOTH_DOME * len(known))))) > _STEEPEST_DOME
    from_wall = _SURELY_DOME if lung.side == "right" else 1 - _SURELY_DOME
    sure = int(from_wall * (len(known) - 1))
    before, after = np.flatnonzero(steep[:sure]), np.flatnonzero(steep[sure:])
    first = before[-1] + 1 if len(before) else 0
    last = sure + after[0] if len(after) else len(known)
    return known[first : max(last, first + 1)]
