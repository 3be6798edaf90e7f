"""Pulmonary edema on a film: perihilar haze, indistinct vessels, septal lines, small effusions when severe."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .chest import SIDES, FilmChest, FilmLung
from .effusion import draw_effusion
from .fields import blur, noise
from .parenchyma import blur_markings, infiltrate, markings_of
from .tissue import overlapping, touching_tissue
from .tone import add_thickness

_CEILING = 0.87  # share of the way from lung to soft tissue that the densest haze reaches
_DENSEST = 1.9  # optical thickness that haze nears, so that ribs are seen in front of it
_WITH_EFFUSION = 0.7  # severity from which both angles are blunted
_CUFF = 1.6  # mm around a vessel that the fluid in its sheath makes dense
_VESSEL = 0.012  # mean grey of vessels above the lung around them, after this smoothing
_SUBPIXEL = 3  # bits after the point in OpenCV's coordinates of lines
_MOST_LINES = 8
_AT_WALL = 0.75  # share of the haze at the chest wall, where the lung is thin
_WALL_MM = 10.0  # over which it rises to all of it
_THINNEST = 0.6  # least share of the haze in its gaps, or lung would show as dark holes
_AT_APEX = 0.3  # share of the haze at the apex, which edema spares
_APEX = 0.3  # share of the lung's height over which it rises to all of it
_WITH_LINES = 0.45  # share of lungs with septal lines


def draw_edema(chest: FilmChest, grey: np.ndarray, *, severity: float, generator: torch.Generator) -> np.ndarray:
    """Draw edema of both lungs.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        severity: in (0, 1].
        generator: draws haze and lines; the same state gives the same picture at every severity.
    """
    for side in SIDES:
        grey = _one_lung(chest, grey, chest.lungs[side], severity, generator)
    for side in SIDES:
        amount = uniform(0.02, 0.06, generator)
        if severity > _WITH_EFFUSION:
            grey = draw_effusion(chest, grey, side=side, severity=amount, generator=generator)
    return grey


def _one_lung(
    chest: FilmChest, grey: np.ndarray, lung: FilmLung, severity: float, generator: torch.Generator
) -> np.ndarray:
    rows, columns = chest.grid
    hilum, within = lung.hilum, overlapping(chest, lung, dome=False)
    strength = uniform(0.95, 1.05, generator)  # the lungs differ a little
    distance = np.hypot(0.65 * (rows - hilum[0]), columns - hilum[1]) * chest.mm
    distance = distance * (1 + 0.2 * noise(chest.shape, 24 / chest.mm, generator)).clip(0)
    perihilar = np.exp(-((distance / (42 + 14 * severity)) ** 1.6))
    low = ((rows - lung.apex) / lung.height).clip(0, 1)
    haze = strength * (0.5 + 2.8 * severity) * (perihilar + 0.14 * low + 0.04)
    cuffs = (blur(markings_of(chest, grey), _CUFF / chest.mm) / _VESSEL).clip(0, 1.6)
    haze = _DENSEST * (1 - np.exp(-haze / _DENSEST))
    haze = haze * (0.8 + 0.3 * cuffs) * infiltrate(chest, lung, generator, coarse=0.22, fine=0.13).clip(_THINNEST)
    lines = septal_lines(chest, lung, severity, generator)
    haze = haze * (_AT_WALL + (1 - _AT_WALL) * (chest.wall_distance(lung.side) / _WALL_MM).clip(0, 1))
    haze = haze * (_AT_APEX + (1 - _AT_APEX) * (low / _APEX).clip(0, 1))
    blurred = within * min(severity, 0.7) * (perihilar + 0.3).clip(0, 1)
    ceiling = chest.air + _CEILING * (touching_tissue(chest, lung) - chest.air)
    return add_thickness(blur_markings(chest, grey, blurred).clip(0), (haze + lines) * within, ceiling)


def septal_lines(chest: FilmChest, lung: FilmLung, severity: float, generator: torch.Generator) -> np.ndarray:
    """Return the thickness of Kerley's B lines, `(H, W)`: short, faint and uneven, at the pleura above the angle.

    Many lungs have none.
    """
    picture = np.zeros(chest.shape, np.float32)
    visible = uniform(0, 1, generator) < _WITH_LINES
    for number in range(_MOST_LINES):
        row = lung.apex + uniform(0.66, 0.95, generator) * lung.height
        length, drop = uniform(5, 15, generator) / chest.mm, uniform(-3.5, 3.5, generator) / chest.mm
        gap, strength = uniform(0, 3, generator) / chest.mm, uniform(0.06, 0.22, generator)
        inside = np.flatnonzero(lung.mask[int(row)])
        if not visible or number >= 1 + _MOST_LINES * severity or not len(inside):
            continue
        start, way = (inside[0], 1) if lung.side == "right" else (inside[-1], -1)
        ends = [(start + way * gap, row), (start + way * length, row + drop)]
        fixed = [(round(float(x) * 2**_SUBPIXEL), round(float(y) * 2**_SUBPIXEL)) for x, y in ends]
        cv2.line(picture, fixed[0], fixed[1], strength, 1, cv2.LINE_AA, _SUBPIXEL)
    uneven = (1 + 0.6 * noise(chest.shape, 4 / chest.mm, generator)).clip(0, 2)
    return uneven * blur(picture, 0.55 / chest.mm)
