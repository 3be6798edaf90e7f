"""Atelectasis on a film: bands, from moderate on a collapsed lobe, and a dome drawn upwards by the lost volume."""

from __future__ import annotations

import math

import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .chest import FilmChest, FilmLung
from .fields import blur, blur_line, ellipse, grow, noise, pick_near_centre, sigmoid
from .lobar_collapse import collapsed_lobe
from .parenchyma import blur_markings, infiltrate
from .tissue import overlapping, touching_tissue
from .tone import add_thickness
from .warp import warp

_CEILING = 0.95  # share of the way from lung to soft tissue that a band or a collapsed lobe reaches
_MARGIN = 12.0  # mm over which a band fades towards the outline of the lung
_TILT = (-15.0, 4.0)  # degrees by which bands fall from the mediastinum outwards
_SPREAD = 4.0  # mm by which the first band leaves the middle of its zone
#: Second and third band: severity from which it is there, mm from the first in rows and outwards, degrees by which it
#: falls further, relative size.
_MORE_BANDS = ((0.45, 17, 12, 11, 0.6), (0.75, 12, -16, -9, 0.45))
_COLLAPSE = (0.65, 0.9)  # severities between which a lobe goes from aerated to collapsed
_LIFT = {
    "upper": (0.0, 3.0),
    "middle": (2.0, 8.0),
    "lower": (4.0, 30.0),
}  # mm by which the dome rises, and its increase


def draw_atelectasis(
    chest: FilmChest,
    grey: np.ndarray,
    *,
    side: str,
    zone: str,
    severity: float,
    generator: torch.Generator,
    raised: bool = True,
) -> np.ndarray:
    """Draw atelectasis with volume loss.

    A mild one is a band, a moderate one two thicker ones. A severe one has three, and the lobe of the zone is
    collapsed: a dense wedge that ends at its fissure and hides the border of heart or dome that it touches. The lung
    below the hilum is drawn upwards with its dome, so that its markings crowd.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        side: of the patient.
        zone: "upper", "middle" or "lower".
        severity: in (0, 1]: length, thickness and density of band and lobe, and how far the dome moves.
        generator: draws the place; the same state gives the same place at every severity.
        raised: the lost volume draws the dome upwards.
    """
    lung, mm = chest.lungs[side], chest.mm
    centre = pick_near_centre(_centres(chest, lung, zone), _SPREAD / mm, generator)
    tilt = uniform(*_TILT, generator)
    band = band_of(chest, lung, centre, severity, tilt, generator)
    away = (-1 if zone == "lower" else 1) / mm  # more bands are away from the dome
    outwards = (-1 if side == "right" else 1) / mm
    for least, drop, shift, turn, size in _MORE_BANDS:
        place = (centre[0] + away * (drop + uniform(-1, 1, generator)), centre[1] + outwards * shift)
        another = band_of(chest, lung, place, size * severity, tilt + turn, generator)
        if severity > least:
            band = np.maximum(band, size * another)
    haze = np.exp(-(ellipse(chest.grid, (centre[0] + 6 / mm, centre[1]), (20 / mm, 38 / mm)) ** 2))
    lobe = collapsed_lobe(chest, lung, zone, generator)
    collapse = min(max((severity - _COLLAPSE[0]) / (_COLLAPSE[1] - _COLLAPSE[0]), 0.0), 1.0)
    texture = infiltrate(chest, lung, generator, coarse=0.22, fine=0.12)
    thickness = (0.7 + 0.6 * severity) * band + (0.14 + 0.2 * severity) * haze * texture
    airless = collapse * (0.3 + 0.9 * severity) * lobe * texture
    lift = _lift(chest, lung, zone, severity) if raised else np.zeros(chest.shape)
    moved, within = (warp(field, lift, 0.0) for field in (grey, blur(lung.soft, 1.2 / mm)))
    over = warp(overlapping(chest, lung, dome=True), lift, 0.0)
    indistinct = blur_markings(chest, moved, 0.6 * collapse * lobe * within)
    touching = touching_tissue(chest, lung)
    ceiling = chest.air + (_CEILING + (1 - _CEILING) * collapse * lobe) * (touching - chest.air)
    return add_thickness(indistinct, thickness * within + airless * over, ceiling)


def _centres(chest: FilmChest, lung: FilmLung, zone: str) -> np.ndarray:
    """Return the pixels of a zone where a band may have its centre, `(H, W)` bool: away from the lung's outline."""
    first, last = lung.zone_rows(zone)
    rows, depth = chest.grid[0], chest.depth(lung.side)
    inside = lung.mask & (rows >= first) & (rows <= last)
    return inside & (depth > min(24.0, 0.6 * float(depth[inside].max())))


def band_of(
    chest: FilmChest,
    lung: FilmLung,
    centre: tuple[float, float],
    severity: float,
    tilt: float,
    generator: torch.Generator,
) -> np.ndarray:
    """Return one curved band, `(H, W)` in [0, 1], of uneven width and brightness, that fades at both ends.

    It rises (`tilt` below 0 degrees) or falls from the mediastinum outwards, and ends before the heart and the dome.
    """
    mm, (rows, columns) = chest.mm, chest.grid
    outwards = -1 if lung.side == "right" else 1
    angle = math.radians(tilt + uniform(-5, 5, generator)) * outwards
    length = uniform(26, 29, generator) * (0.75 + 0.6 * severity) / mm
    width = uniform(1.5, 1.9, generator) * (0.85 + 0.75 * severity) / mm
    curve = uniform(-0.05, 0.02, generator)
    down, across = rows - centre[0], columns - centre[1]
    along = across * math.cos(angle) + down * math.sin(angle)
    beside = down * math.cos(angle) - across * math.sin(angle)
    lengthwise = [_wander(chest, scale, generator) for scale in (16, 9, 12)]
    shift, wide, bright = (np.interp(along, np.arange(len(line)) - len(line) // 2, line) for line in lengthwise)
    middle = curve * (along**2 / length - length / 3) + 0.9 / mm * shift
    breadth = width * (1 + 0.35 * wide).clip(0.4)
    upper = beside < middle  # one side is sharper than the other
    profile = np.exp(-(((beside - middle) / (breadth * np.where(upper, 0.9, 1.5))) ** 2))
    ends = sigmoid((length - np.abs(along + 0.2 * length * bright)) / (0.24 * length))
    inside = (chest.depth(lung.side) / _MARGIN).clip(0, 1) ** 0.7
    patchy = (1 + 0.25 * noise(chest.shape, 2.5 / mm, generator)).clip(0.3, 1.4)
    return (profile * ends * inside * (0.8 + 0.3 * bright).clip(0.15, 1.1) * patchy).clip(0, 1)


def _wander(chest: FilmChest, scale: float, generator: torch.Generator) -> np.ndarray:
    """Return a random line of unit standard deviation that varies over `scale` mm, as long as the film's diagonal."""
    count = 2 * int(math.hypot(*chest.shape))
    line = blur_line(torch.randn(count, generator=generator).numpy(), scale / chest.mm)
    return line / max(float(line.std()), 1e-6)


def _lift(chest: FilmChest, lung: FilmLung, zone: str, severity: float) -> np.ndarray:
    """Return the upward displacement in pixels, `(H, W)`: largest at the dome, none above the hilum or far below."""
    most = (_LIFT[zone][0] + _LIFT[zone][1] * severity) / chest.mm
    rows = chest.grid[0]
    rise = ((rows - lung.apex - 0.45 * lung.height) / (0.5 * lung.height)).clip(0, 1)
    below = (1 - (rows - lung.base) / (0.35 * lung.height)).clip(0, 1)
    to_border = ((chest.shape[0] - 1 - rows) / max(4 * most, 1)).clip(0, 1)
    around = grow(lung.mask, max(1, int(14 / chest.mm)))
    return most * np.where(rows > lung.base, below, rise) * to_border * blur(around, 12 / chest.mm)
