"""The lung's fine structure on a film: its markings, streaks along the bronchi, and the film's grain."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch

from x2x_core.imaging.soft import smoothstep

from .chest import FilmChest, FilmLung
from .fields import blur, connected_to, grow, noise

_WIDEST_VESSEL = 3.5  # mm; wider structures are ribs
_LONG = 20.0  # mm: straight structures of this length are borders of ribs, not vessels
_DIRECTIONS = 12
_BRIGHTEST_VESSEL = 0.10  # grey above its surroundings; what is brighter is metal
_WIDEST_LEAD = 0.006  # half of its width, share of the picture's longer side
_WIDEST_ELECTRODE = 0.018  # likewise
_WIDEST_DISC = 18.0  # pixels: half of the width from which it is found on a smaller picture
_BRIGHT_ELECTRODE = (0.12, 0.24)  # grey above its surroundings: of all of it, and of its brightest part
_GRAIN = 0.9  # mm over which a film's grain is separated from its structures


def markings(grey: np.ndarray, mm: float) -> np.ndarray:
    """Return the vessels and other lung markings of a film, `(H, W)` at least 0; ribs and grain are left out.

    They are what an opening by a disc takes away, except what some opening by a long line keeps.
    Method: Serra, *Image Analysis and Mathematical Morphology*, 1982, chapter 12 (top hat).
    """
    smooth = blur(grey, 0.6 / mm)
    size = max(3, 2 * round(0.5 * _WIDEST_VESSEL / mm) + 1)
    wide = cv2.morphologyEx(smooth, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    for number in range(_DIRECTIONS):
        line = _line(max(3, round(_LONG / mm)), math.pi * number / _DIRECTIONS)
        wide = np.maximum(wide, cv2.morphologyEx(smooth, cv2.MORPH_OPEN, line))
    return (smooth - wide).clip(0, _BRIGHTEST_VESSEL)


def without_metal(chest: FilmChest) -> np.ndarray:
    """Return a chest's film without leads, electrodes, wires and clips, `(H, W)`; lesions lie behind these."""
    return chest.once("without metal", lambda: chest.grey - metal_of(chest.grey))


def markings_of(chest: FilmChest, grey: np.ndarray) -> np.ndarray:
    """Return the markings of a chest's film so far `(H, W)`; those of the film without lesions are computed once."""
    if grey is without_metal(chest):
        return chest.once("markings", lambda: markings(grey, chest.mm))
    return markings(grey, chest.mm)


def _line(length: int, angle: float) -> np.ndarray:
    """Return a structuring element: a line through the middle of a square of odd side."""
    half = length // 2
    element = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    across, down = round(half * math.cos(angle)), round(half * math.sin(angle))
    cv2.line(element, (half - across, half - down), (half + across, half + down), 1)
    return element


def streaks(chest: FilmChest, lung: FilmLung, generator: torch.Generator) -> np.ndarray:
    """Draw streaks that radiate from the hilum as bronchi and vessels do, `(H, W)` of unit standard deviation.

    Method: Cabral and Leedom, *Imaging vector fields using line integral convolution*, SIGGRAPH 1993.
    """
    rows, columns = chest.grid
    grain = noise(chest.shape, 1.0 / chest.mm, generator)
    wander = 0.5 * noise(chest.shape, 18 / chest.mm, generator)
    angle = np.arctan2(rows - lung.hilum[0], columns - lung.hilum[1]) + wander
    down, across = (np.sin(angle) / chest.mm).astype(np.float32), (np.cos(angle) / chest.mm).astype(np.float32)
    total = np.zeros(chest.shape, np.float32)
    for step in np.linspace(-5, 5, 9, dtype=np.float32):  # mm
        total += cv2.remap(
            grain, columns + step * across, rows + step * down, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT
        )
    return total / max(float(total.std()), 1e-6)


def infiltrate(
    chest: FilmChest, lung: FilmLung, generator: torch.Generator, *, coarse: float, fine: float
) -> np.ndarray:
    """Draw the texture of diseased lung about 1, `(H, W)` at least 0.1: clouds, a fine net, granules and streaks.

    Args:
        chest: the film's anatomy.
        lung: the lung whose bronchi the streaks follow.
        generator: draws the texture.
        coarse: standard deviation of the clouds, of 6 to 25 mm.
        fine: standard deviation of the details, of 1 to 3 mm.
    """
    clouds = sum(noise(chest.shape, scale / chest.mm, generator) for scale in (6, 12, 25))
    net = 0.8 - np.abs(noise(chest.shape, 2.2 / chest.mm, generator))
    granules = noise(chest.shape, 0.8 / chest.mm, generator)
    details = 0.5 * net + 0.6 * granules + 0.4 * streaks(chest, lung, generator)
    return (1 + coarse * clouds / math.sqrt(3) + fine * details).clip(0.1)


def blur_markings(chest: FilmChest, grey: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Make vessels indistinct while ribs and grain stay.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        share: `(H, W)` in [0, 1]: of the vessels that are blurred.
    """
    vessels = markings_of(chest, grey)
    return grey - share * (vessels - blur(vessels, 1.8 / chest.mm))


def fixed_grain(chest: FilmChest, grey: np.ndarray) -> np.ndarray:
    """Return the grain of a film, `(H, W)`: its finest residue, as far as it is no more than grain in soft tissue."""
    return grain_of(grey, chest.tissue_sources)


def grain_of(grey: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Return the finest residue of a picture, `(H, W)`, clipped to what is usual in `sources`, `(H, W)` bool."""
    residue = grey - blur(grey, 1.2)
    known = residue[sources]
    most = 2.5 * float(np.median(np.abs(known))) / 0.6745 if len(known) else 0.0
    return residue.clip(-most, most)


def metal_of(grey: np.ndarray) -> np.ndarray:
    """Return what leads, electrodes, wires and clips add to a picture `(H, W)` in [0, 1], `(H, W)` at least 0.

    Leads are lines brighter than vessels. Electrodes are wider and brighter; each is taken as a whole.
    """
    line = _above_surroundings(grey, _WIDEST_LEAD)
    lines = line * smoothstep((line - _BRIGHTEST_VESSEL) / (0.4 * _BRIGHTEST_VESSEL))
    spot = _above_surroundings(grey, _WIDEST_ELECTRODE)
    all_of_it, brightest = (spot > level for level in _BRIGHT_ELECTRODE)
    electrodes = grow(connected_to(all_of_it, brightest), 1)
    return np.maximum(lines, spot * blur(electrodes, 0.7)).astype(np.float32)


def _above_surroundings(grey: np.ndarray, width: float) -> np.ndarray:
    """Return by how much what is narrower than a width is brighter than what is around it, `(H, W)` (a top hat).

    What is around it is found on a smaller picture if the width is many pixels.

    Args:
        grey: `(H, W)`.
        width: half of the greatest one, share of the picture's longer side.
    """
    height, columns = grey.shape
    scale = min(1.0, _WIDEST_DISC / (width * max(grey.shape)))
    size = (max(1, round(columns * scale)), max(1, round(height * scale)))
    small = np.asarray(grey, np.float32) if scale == 1 else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    radius = max(1, round(width * max(small.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    around = cv2.morphologyEx(small, cv2.MORPH_OPEN, disc)
    around = around if scale == 1 else cv2.resize(around, (columns, height), interpolation=cv2.INTER_LINEAR)
    return grey - np.minimum(around, grey)


def film_grain(chest: FilmChest, generator: torch.Generator) -> np.ndarray:
    """Draw grain of the strength and fineness that this film has in soft tissue, `(H, W)`."""
    grain = np.zeros(chest.shape, np.float32)
    sources = chest.tissue_sources
    finest = chest.grey
    for scale in (0.7, 1.4, 2.8):  # pixels
        coarser = blur(chest.grey, scale)
        spread = float(np.median(np.abs((finest - coarser)[sources]))) / 0.6745 if sources.any() else 0.0
        white = blur(torch.randn(chest.shape, generator=generator).numpy(), 0.5 * scale) if scale > 1 else None
        white = torch.randn(chest.shape, generator=generator).numpy() if white is None else white
        band = white - blur(white, scale)
        grain += spread * band / max(float(band.std()), 1e-6)
        finest = coarser
    return grain
