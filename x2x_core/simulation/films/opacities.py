"""Air-space opacities on a film: consolidation, pneumonia, ground glass, with air bronchograms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .chest import FilmChest, FilmLung
from .fields import blur, ellipse, noise, pick_near_centre, sigmoid
from .parenchyma import blur_markings, infiltrate
from .tissue import overlapping, touching_tissue
from .tone import add_thickness

_SUBPIXEL = 3  # bits after the point in OpenCV's coordinates of lines
_TOUCHING = 15.0  # mm from the lung's outline within which an opacity takes the grey of the tissue beside it
_OUTWARDS = 0.4  # radii by which all patches but the first lie further from the hilum: opacities meet the pleura
_SPREAD = 8.0  # mm by which an opacity leaves the middle of its zone
_DARKEST = 0.6  # share of the way from lung to soft tissue under which the tissue beside a lung lends it no grey
_DARKEST_WALL = 0.1  # likewise for the chest wall of a film whose upper half is dark
_TOWARDS_DENSE = 0.4  # share of the way from the grey of that wall to the tissue's that an opacity may reach
_FULL_DEPTH = 28.0  # mm from the lung's outline where a lung is at its thickest


@dataclass(frozen=True)
class OpacityKind:
    """Appearance of an air-space opacity; pairs are the value at severity 0 and its increase to severity 1."""

    patches: int
    radius: tuple[float, float]  # mm
    thickness: tuple[float, float]  # optical, where the lung is thickest
    edge: float  # softness of the border, share of the radius
    ragged: float  # raggedness of the border, share of the radius
    ceiling: float  # share of the way from lung to soft tissue that the densest part reaches
    texture: tuple[float, float]  # standard deviation of its clouds and of its details
    bronchograms: bool


CONSOLIDATION = OpacityKind(6, (14, 16), (0.85, 1.0), 0.55, 0.5, 0.92, (0.24, 0.10), True)
PNEUMONIA = OpacityKind(5, (13, 14), (0.65, 0.9), 0.5, 0.5, 0.91, (0.34, 0.15), True)
GROUND_GLASS = OpacityKind(4, (22, 20), (0.62, 0.8), 0.42, 0.34, 0.92, (0.28, 0.14), False)


def draw_opacity(
    chest: FilmChest,
    grey: np.ndarray,
    kind: OpacityKind,
    *,
    side: str,
    zone: str,
    severity: float,
    generator: torch.Generator,
) -> np.ndarray:
    """Draw an air-space opacity in one zone of a lung.

    It ends at the chest wall, and takes the grey of heart and dome where it touches them, so that their borders are
    lost (silhouette sign). Vessels are indistinct inside it.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        kind: how the opacity looks.
        side: of the patient.
        zone: "upper", "middle" or "lower".
        severity: in (0, 1].
        generator: draws place, shape and texture; the same state gives the same place at every severity.
    """
    lung = chest.lungs[side]
    amount, centre = _patches(chest, lung, kind, zone, severity, generator)
    thickness = (kind.thickness[0] + kind.thickness[1] * severity) * amount
    thickness = thickness * infiltrate(chest, lung, generator, coarse=kind.texture[0], fine=kind.texture[1])
    thickness = thickness * overlapping(chest, lung, dome=True) * (0.75 + 0.25 * _relative_depth(chest, side))
    if kind.bronchograms:
        thickness = thickness * (1 - 0.35 * amount * _bronchi(chest, lung, centre, generator))
    indistinct = blur_markings(chest, grey, 0.6 * amount * lung.soft)
    beside = np.exp(-chest.depth(side) / _TOUCHING)
    share = kind.ceiling + (1 - kind.ceiling) * beside
    ceiling = chest.air + share * (_tissue_around(chest, lung) - chest.air)
    return np.maximum(add_thickness(indistinct, thickness, ceiling), grey)


def _tissue_around(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return the grey that the densest opacity may have, `(H, W)`: of soft tissue, but not far above the chest wall's.

    On films of obese patients the abdomen is much brighter than the wall beside an upper zone, where an opacity as
    bright as the abdomen would look burnt.
    """
    dense, wall = (touching_tissue(chest, lung, least) for least in (_DARKEST, _DARKEST_WALL))
    return np.minimum(dense, wall + _TOWARDS_DENSE * (dense - wall).clip(0))


def _patches(
    chest: FilmChest, lung: FilmLung, kind: OpacityKind, zone: str, severity: float, generator: torch.Generator
) -> tuple[np.ndarray, tuple[int, int]]:
    """Return patches with soft ragged borders, `(H, W)` in [0, 1], and their common centre."""
    centre = pick_near_centre(_centres(chest, lung, zone), _SPREAD / chest.mm, generator)
    radius = (kind.radius[0] + kind.radius[1] * severity) / chest.mm
    scales = {32: 0.9, 13: 0.7, 5: 0.3}  # mm: weight
    uneven = [weight * noise(chest.shape, scale / chest.mm, generator) for scale, weight in scales.items()]
    ragged = kind.ragged * np.sum(uneven, axis=0)
    around = ellipse(chest.grid, centre, (radius, radius)) < 1
    ragged = ragged - float(ragged[around].mean())  # the border goes in as much as out
    edge = kind.edge * (1 + 0.45 * noise(chest.shape, 32 / chest.mm, generator)).clip(0.6, 2)
    outwards = _unit(centre[0] - lung.hilum[0], centre[1] - lung.hilum[1])
    amount = np.zeros(chest.shape, np.float32)
    for patch in range(kind.patches):
        places = zip(outwards, (1.25, 0.95), strict=True)
        away = [(uniform(-1, 1, generator) * reach + _OUTWARDS * out) * radius * (patch > 0) for out, reach in places]
        size = 1 if patch == 0 else uniform(0.5, 1.0, generator)
        radii = (radius * size * uniform(0.75, 1.1, generator), radius * size * uniform(0.7, 1.05, generator))
        distance = ellipse(chest.grid, (centre[0] + away[0], centre[1] + away[1]), radii)
        cloud = sigmoid((1 - distance + ragged) / edge) * (1 if patch == 0 else uniform(0.6, 1.0, generator))
        amount = (amount + cloud - amount * cloud).astype(np.float32)
    return amount, centre


def _unit(down: float, right: float) -> tuple[float, float]:
    """Return the direction of a vector."""
    length = max(math.hypot(down, right), 1e-6)
    return down / length, right / length


def _centres(chest: FilmChest, lung: FilmLung, zone: str) -> np.ndarray:
    """Return where an opacity of a zone may have its centre: away from the pleura, `(H, W)` bool."""
    first, last = lung.zone_rows(zone)
    rows, depth = chest.grid[0], chest.depth(lung.side)
    inside = lung.mask & (rows >= first) & (rows <= last)
    deep = inside & (depth > min(14.0, 0.6 * float(depth[inside].max())))
    return deep if deep.any() else inside


def _relative_depth(chest: FilmChest, side: str) -> np.ndarray:
    """Return how thick the lung is along the rays, `(H, W)` in [0, 1]: thin at its outline."""
    return np.sqrt((chest.depth(side) / _FULL_DEPTH).clip(0, 1))


def _bronchi(chest: FilmChest, lung: FilmLung, centre: tuple[int, int], generator: torch.Generator) -> np.ndarray:
    """Return branching bronchi from the hilum towards an opacity, `(H, W)` in [0, 1]."""
    picture = np.zeros(chest.shape, np.float32)
    hilum = lung.hilum
    angle = math.atan2(centre[0] - hilum[0], centre[1] - hilum[1])
    distance = math.hypot(centre[0] - hilum[0], centre[1] - hilum[1])
    start = (hilum[0] + 0.35 * distance * math.sin(angle), hilum[1] + 0.35 * distance * math.cos(angle))
    length = 12 / chest.mm + 0.2 * distance
    _branch(picture, start, angle + uniform(-0.15, 0.15, generator), length, generator)
    return blur(picture, 0.8 / chest.mm).clip(0, 1)


def _branch(
    picture: np.ndarray,
    start: tuple[float, float],
    angle: float,
    length: float,
    generator: torch.Generator,
    order: int = 0,
) -> None:
    """Draw a bronchus of `length` pixels into `picture`, and its branches to the third order."""
    row, column = start
    strength = 0.8 * 0.8**order
    for _ in range(max(1, int(length / 2))):
        ahead = (row + 2 * math.sin(angle), column + 2 * math.cos(angle))
        ends = [(round(place[1] * 2**_SUBPIXEL), round(place[0] * 2**_SUBPIXEL)) for place in ((row, column), ahead)]
        cv2.line(picture, ends[0], ends[1], strength, 1, cv2.LINE_AA, _SUBPIXEL)
        row, column = ahead
        angle += uniform(-0.1, 0.1, generator)
    if order < 3:
        for turn in (-1, 1):
            away = angle + turn * uniform(0.25, 0.55, generator)
            _branch(picture, (row, column), away, length * uniform(0.6, 0.85, generator), generator, order + 1)
