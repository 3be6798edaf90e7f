"""Lobar collapse on a film: the dense, airless wedge that a lobe becomes, with one sharp border, the fissure."""

from __future__ import annotations

import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .borders import heart_border, outer_border
from .chest import FilmChest, FilmLung
from .fields import noise, sigmoid

_FISSURE = 1.6  # mm over which the border at the fissure rises
_WAVE = 2.2  # mm by which a fissure leaves its curve


def collapsed_lobe(chest: FilmChest, lung: FilmLung, zone: str, generator: torch.Generator) -> np.ndarray:
    """Return the share of a collapsed lobe along the rays, `(H, W)` in [0, 1].

    An upper lobe draws up to apex and mediastinum above a fissure that rises outwards; a lower lobe becomes a triangle
    between hilum, spine and dome; a middle lobe or lingula a wedge beside the heart that narrows outwards.
    Source of the signs: Woodring and Reed, *Types and mechanisms of pulmonary atelectasis*, J Thorac Imaging 1996.

    Args:
        chest: the film's anatomy.
        lung: the lung.
        zone: "upper", "middle" or "lower".
        generator: draws how far the lobe has drawn back and how its fissure bends.
    """
    draw = {"upper": _upper, "middle": _middle, "lower": _lower}[zone]
    wave = _WAVE * noise(chest.shape, 22 / chest.mm, generator)
    return draw(chest, lung, wave, generator).clip(0, 1)


def _outwards(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return the way from heart and mediastinum to the chest wall in each row, `(H, W)`: 0 to 1 in the lung."""
    inner, outer = (border(chest, lung.side)[:, None] for border in (heart_border, outer_border))
    sign = -1 if lung.side == "right" else 1
    return sign * (chest.grid[1] - inner) / np.maximum(sign * (outer - inner), 20 / chest.mm)


def _height(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return the height in the lung, `(H, W)`: 0 at the apex, 1 at the base."""
    return (chest.grid[0] - lung.apex) / lung.height


def _step(distance: np.ndarray, width: float = _FISSURE) -> np.ndarray:
    return sigmoid(distance / width)


def _upper(chest: FilmChest, lung: FilmLung, wave: np.ndarray, generator: torch.Generator) -> np.ndarray:
    out, height = _outwards(chest, lung).clip(0, 1), _height(chest, lung)
    at_hilum, rise = uniform(0.37, 0.39, generator), uniform(0.16, 0.18, generator)
    bend = uniform(0.02, 0.04, generator)
    fissure = at_hilum - rise * out - bend * np.sin(np.pi * out)
    below = (fissure - height) * lung.height * chest.mm + wave  # mm above the fissure
    denser_medially = 1 - 0.30 * out
    return _step(below) * denser_medially


def _lower(chest: FilmChest, lung: FilmLung, wave: np.ndarray, generator: torch.Generator) -> np.ndarray:
    out, height = _outwards(chest, lung), _height(chest, lung)
    reach, top = uniform(0.75, 0.80, generator), uniform(0.45, 0.47, generator)
    bulge = uniform(-0.1, -0.02, generator)
    down = ((height - top) / (1 - top)).clip(0, 1)
    fissure = reach * down**0.9 + bulge * np.sin(np.pi * down)
    columns = np.flatnonzero(lung.mask.any(axis=0))
    inside = (fissure - out) * (columns[-1] - columns[0]) * chest.mm * 0.8 + wave
    start = ((height - top) * lung.height * chest.mm / 14).clip(0, 1)
    return _step(inside) * start * (0.72 + 0.28 * down)


def _middle(chest: FilmChest, lung: FilmLung, wave: np.ndarray, generator: torch.Generator) -> np.ndarray:
    out, height = _outwards(chest, lung).clip(0, 1.2), _height(chest, lung)
    upper = uniform(0.50, 0.52, generator) + uniform(0.06, 0.08, generator) * out
    thick, length = uniform(0.17, 0.20, generator), uniform(0.82, 0.88, generator)
    narrowing = (1 - out / length).clip(0, 1) ** 0.8
    lower = upper + thick * narrowing
    scale = lung.height * chest.mm
    above, below = (height - upper) * scale + wave, (lower - height) * scale + 2 * wave
    return _step(above) * _step(below, 3.5) * narrowing**0.5
