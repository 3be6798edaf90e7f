"""Pulmonary edema on a film: perihilar haze, blurred vessels, septal lines, small effusions when severe."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .chest import SIDES, FilmChest, FilmLung
from .effusion import draw_effusion
from .fields import blur, texture
from .tone import add_thickness

_CEILING = 0.93  # share of the way from lung to soft tissue that the densest haze reaches
_TEXTURE = {1.6: 0.07, 5.0: 0.09, 16.0: 0.20}  # mm: standard deviation
_WITH_EFFUSION = 0.7  # severity from which both angles are blunted
_SUBPIXEL = 3  # bits after the point in OpenCV's coordinates of lines


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
        amount = uniform(0.02, 0.15, generator)
        if severity > _WITH_EFFUSION:
            grey = draw_effusion(chest, grey, side=side, severity=amount, generator=generator)
    return grey


def _one_lung(
    chest: FilmChest, grey: np.ndarray, lung: FilmLung, severity: float, generator: torch.Generator
) -> np.ndarray:
    rows, columns = chest.grid
    hilum, within = lung.hilum, blur(lung.soft, 0.7)
    distance = np.hypot(0.8 * (rows - hilum[0]), columns - hilum[1]) * chest.mm
    perihilar = np.exp(-((distance / (50 + 18 * severity)) ** 2))
    low = ((rows - lung.apex) / lung.height).clip(0, 1)
    haze = (0.10 + 0.75 * severity) * (0.95 * perihilar + 0.30 * low + 0.10)
    haze = haze * texture(chest.shape, chest.mm, _TEXTURE, generator).clip(0.2, 2)
    lines = (0.2 + 0.25 * severity) * _septal_lines(chest, lung, severity, generator)
    blurred = within * min(severity, 0.75) * (perihilar + 0.3).clip(0, 1)
    indistinct = grey * (1 - blurred) + blur(grey, 1.3 / chest.mm) * blurred
    return add_thickness(indistinct, (haze + lines) * within, chest.ceiling(_CEILING))


def _septal_lines(chest: FilmChest, lung: FilmLung, severity: float, generator: torch.Generator) -> np.ndarray:
    """Return Kerley's B lines, `(H, W)`: short horizontal lines at the pleura above the costophrenic angle."""
    picture = np.zeros(chest.shape, np.float32)
    for number in range(26):
        row = lung.apex + uniform(0.62, 0.97, generator) * lung.height
        length, drop = uniform(8, 18, generator) / chest.mm, uniform(-2, 2, generator)
        inside = np.flatnonzero(lung.mask[int(row)])
        if number >= 4 + 22 * severity or not len(inside):
            continue
        start, way = (inside[0], 1) if lung.side == "right" else (inside[-1], -1)
        ends = [(start + way, row), (start + way * length, row + drop)]
        fixed = [(round(float(x) * 2**_SUBPIXEL), round(float(y) * 2**_SUBPIXEL)) for x, y in ends]
        cv2.line(picture, fixed[0], fixed[1], 1.0, 1, cv2.LINE_AA, _SUBPIXEL)
    return blur(picture, 0.5 / chest.mm)
