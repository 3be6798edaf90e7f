"""Pleural effusion on a film: fluid to a level, with a meniscus that climbs the chest wall."""

from __future__ import annotations

import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .chest import FilmChest, FilmLung
from .fields import blur, grow, noise
from .tone import add_thickness

_OPAQUE = 3.0  # optical thickness of deep fluid: 5 % of the contrast beneath is left
_VEIL = 0.22  # of the thin layer behind the lung above the level, for a large effusion
_REACH_BELOW_DOME = 16.0  # mm over which fluid behind the dome fades from the picture


def draw_effusion(
    chest: FilmChest, grey: np.ndarray, *, side: str, severity: float, generator: torch.Generator
) -> np.ndarray:
    """Draw free fluid in one pleural space.

    The deepest point of the costophrenic angle fills first: a small effusion only blunts it, a moderate one hides the
    dome, and a large one covers about half of the lung. Fluid takes the grey of the soft tissue that it touches, so
    that the dome's outline is lost where fluid lies on it (silhouette sign).

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        side: of the patient.
        severity: in (0, 1].
        generator: draws level, meniscus and waviness; the same state gives the same shape at every severity.
    """
    lung, mm = chest.lungs[side], chest.mm
    rows, columns = chest.grid
    climb = (18 + 30 * severity) * uniform(0.8, 1.2, generator) / mm
    reach = uniform(12, 20, generator)  # mm from the wall over which the meniscus falls
    wave = 1.2 / mm * noise(chest.shape, 25 / mm, generator)
    level = lung.base - (0.05 + 0.52 * severity**1.1) * lung.height
    from_middle = np.abs(columns - lung.medial_edge) * mm
    surface = level + wave - climb * (np.exp(-chest.wall_distance(side) / reach) + 0.35 * np.exp(-from_middle / 18))
    depth = (rows - surface) * mm
    wrap = (depth / (26 + 30 * severity)).clip(0)  # fluid grows thicker downwards, as it wraps the lung
    thickness = np.where(depth > 0, _OPAQUE * (1 - np.exp(-1.6 * wrap**1.15)), 0)
    veil = _VEIL * severity * np.exp(-(-depth).clip(0) / 30)
    thickness = np.where(depth > 0, thickness + _VEIL * severity, veil)
    return add_thickness(grey, thickness * _pleural_space(chest, lung), chest.tissue_field)


def _pleural_space(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return the weight of fluid in the picture, `(H, W)` in [0, 1]: the lung field, fading behind the dome."""
    mm, rows = chest.mm, chest.grid[0]
    down = lung.mask | (np.maximum.accumulate(lung.mask, axis=0) & (lung.dome >= 0))
    down[min(int(lung.base + 4 / mm), len(down)) :] = False
    closed = _close(down, int(5 / mm))
    known = np.flatnonzero(lung.dome >= 0)
    dome = np.interp(np.arange(len(lung.dome)), known, lung.dome[known])
    behind = ((rows - dome) * mm).clip(0)
    return blur(closed, 1.0 / mm) * np.exp(-((behind / _REACH_BELOW_DOME) ** 2))


def _close(mask: np.ndarray, radius: int) -> np.ndarray:
    """Close gaps of a mask that are narrower than twice the radius; the picture's border does not eat into it."""
    padded = np.pad(mask, 2 * radius)
    closed = grow(grow(padded, radius), -radius)
    return closed[2 * radius : closed.shape[0] - 2 * radius, 2 * radius : closed.shape[1] - 2 * radius]
