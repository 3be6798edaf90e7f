"""Atelectasis on a film: plates of collapsed lung, and a dome drawn upwards by the lost volume."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .chest import FilmChest, FilmLung
from .fields import blur, ellipse, grow, pick_pixel, sigmoid
from .tone import add_thickness

_CEILING = 0.95  # share of the way from lung to soft tissue that a plate reaches


def draw_atelectasis(
    chest: FilmChest, grey: np.ndarray, *, side: str, zone: str, severity: float, generator: torch.Generator
) -> np.ndarray:
    """Draw plate-like atelectasis with volume loss.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        side: of the patient.
        zone: "upper", "middle" or "lower".
        severity: in (0, 1]: number, length and thickness of the plates, and how far the dome moves.
        generator: draws the plates; the same state gives the same place at every severity.
    """
    lung, mm = chest.lungs[side], chest.mm
    first, last = lung.zone_rows(zone)
    rows = chest.grid[0]
    inside = lung.mask & (rows >= first) & (rows <= last)
    deep = inside & (chest.depth(side) > 10)
    centre = pick_pixel(deep if deep.any() else inside, generator)
    plates = np.zeros(chest.shape, np.float32)
    for number in range(3):
        plate = _plate(chest, centre, severity, number > 0, generator)
        if number <= 2.4 * severity:
            plates = np.maximum(plates, plate)
    crowding = np.exp(-(ellipse(chest.grid, centre, (34 / mm, 44 / mm)) ** 2))
    thickness = (0.45 + 0.45 * severity) * plates + (0.12 + 0.35 * severity) * crowding
    lift = _lift(chest, lung, (4 + 14 * severity) / mm)
    raised, within = (_raise(field, lift) for field in (grey, blur(lung.soft, 0.8)))
    return add_thickness(raised, thickness * within, chest.ceiling(_CEILING))


def _plate(
    chest: FilmChest, centre: tuple[int, int], severity: float, away: bool, generator: torch.Generator
) -> np.ndarray:
    """Return one nearly horizontal plate, `(H, W)` in [0, 1], through the centre or up to 24 mm above or below it."""
    mm, (rows, columns) = chest.mm, chest.grid
    drop = uniform(-24, 24, generator) / mm * away
    angle = math.radians(uniform(-20, 20, generator))
    length = uniform(28, 48, generator) * (0.8 + 0.6 * severity) / mm
    width = uniform(1.3, 2.6, generator) * (0.8 + 0.7 * severity) / mm
    phase, strength = uniform(0, 6, generator), uniform(0.7, 1.0, generator)
    down, across = rows - centre[0] - drop, columns - centre[1]
    along = across * math.cos(angle) + down * math.sin(angle)
    beside = down * math.cos(angle) - across * math.sin(angle) + 2 / mm * np.sin(along * mm / 22 + phase)
    return strength * np.exp(-((beside / width) ** 2)) * sigmoid((length - np.abs(along)) / (3 / mm))


def _lift(chest: FilmChest, lung: FilmLung, most: float) -> np.ndarray:
    """Return the upward displacement in pixels, `(H, W)`: largest at the dome, none above the hilum or far below."""
    rows = chest.grid[0]
    rise = ((rows - lung.apex - 0.45 * lung.height) / (0.5 * lung.height)).clip(0, 1)
    below = (1 - (rows - lung.base) / (0.35 * lung.height)).clip(0, 1)
    to_border = ((chest.shape[0] - 1 - rows) / max(4 * most, 1)).clip(0, 1)
    around = grow(lung.mask, max(1, int(14 / chest.mm)))
    return most * np.where(rows > lung.base, below, rise) * to_border * blur(around, 12 / chest.mm)


def _raise(field: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """Move a field upwards by `lift` pixels."""
    rows, columns = np.mgrid[: field.shape[0], : field.shape[1]].astype(np.float32)
    moved = (rows + lift).astype(np.float32)
    return cv2.remap(field, columns, moved, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
