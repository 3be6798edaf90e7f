"""A chest CT made of ellipsoids, for trying the simulator without a CT."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .ct import Volume

PHANTOM_SPACING_MM = (4.0, 4.0, 4.0)
_AIR, _LUNG, _FAT, _MUSCLE, _BLOOD, _BONE = -1000.0, -850.0, -90.0, 45.0, 50.0, 500.0

_Point = tuple[float, float, float]


def phantom_ct(spacing: tuple[float, float, float] = PHANTOM_SPACING_MM) -> Volume:
    """Build a thorax with two lungs over domed diaphragms, a heart, a spine and ribs, in Hounsfield units.

    It is anatomy for testing, not for training: it has no vessels and airways.

    Args:
        spacing: mm per voxel along z, y and x.

    Returns:
        A volume of 330 x 240 x 380 mm, axes as in `Volume`.
    """
    z, y, x = _axes((330.0, 240.0, 380.0), spacing)
    torso = _ellipse((y, x), (0, 0), (105, 165 - 25 * np.exp(-((z + 165) / 45))))
    chest = _ellipse((y, x), (0, 0), (88, 138))
    hu = np.where(torso, _FAT, _AIR)
    hu = np.where(torso & _ellipse((y, x), (0, 0), (96, 150)), _MUSCLE, hu)
    hu = np.where(_ribs(z, y, x) & torso, _BONE, hu)
    for side in (-1, 1):
        hu = np.where(_lung(z, y, x, side) & chest, _LUNG, hu)
    hu = np.where(_ellipse((z, y, x), (32, -28, 22), (52, 46, 58)), _BLOOD, hu)
    spine = _ellipse((y, x), (72, 0), (17, 19)) & (np.abs((z % 26) - 13) > 2)
    hu = np.where(spine, _BONE, hu)
    return Volume(np.broadcast_to(hu, (z.size, y.size, x.size)).astype(np.float32), spacing, "analytic phantom")


def _axes(extent: _Point, spacing: _Point) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return voxel centres in mm along z, y and x from the middle, shaped to broadcast."""
    z, y, x = ((np.arange(round(e / s)) + 0.5) * s - e / 2 for e, s in zip(extent, spacing))
    return z[:, None, None], y[None, :, None], x[None, None, :]


def _ellipse(axes: Sequence[np.ndarray], centre: Sequence[float], radii: Sequence[Any]) -> np.ndarray:
    """Return the inside of an ellipse or ellipsoid; radii are numbers or arrays that broadcast to the axes."""
    squares = [((a - c) / r) ** 2 for a, c, r in zip(axes, centre, radii)]
    return functools.reduce(np.add, squares) < 1


def _lung(z: np.ndarray, y: np.ndarray, x: np.ndarray, side: int) -> np.ndarray:
    """Return a half ellipsoid on a dome, away from the midline; `side` is -1 or 1."""
    body = _ellipse((z, y, x), (70, 0, side * 72), (205, 84, 62))
    dome = z < 88 - 34 * np.exp(-(((x - side * 68) / 52) ** 2) - ((y + 5) / 62) ** 2)
    return body & dome & (side * x > 14)


def _ribs(z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return shells of bone around the chest, sloping down towards the front."""
    outside = ~_ellipse((y, x), (0, 0), (88, 138)) & _ellipse((y, x), (0, 0), (95, 146))
    return outside & (np.abs(((z + 0.35 * y) % 27) - 13.5) < 4) & (z < 110)
