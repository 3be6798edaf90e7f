"""Pneumothorax on a film: air around a lung that has drawn back from the chest wall."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform
from x2x_core.imaging.soft import smoothstep

from .borders import heart_border
from .chest import FilmChest, FilmLung
from .fields import blur, distance_inside, noise, sigmoid, texture
from .parenchyma import markings_of
from .tone import add_thickness
from .warp import warp

_LINE_MM = 0.7  # half width of the visceral pleura
_LINE = 0.36  # its mean optical thickness
_UNEVEN = {7.0: 0.45, 28.0: 0.35}  # mm along it to the standard deviation of its thickness, relative to the mean
_LINE_LOST = 18.0  # mm beside the mediastinum over which it is lost
_DARKEST = 0.5  # share of the grey around that air may take away, so that ribs keep their contrast on dark films
_BLACKEST = -0.25  # share of the way from aerated lung to soft tissue that air leaves of the grey around
_MOST_SINKING = 0.4  # share of the collapsed length; from 0.5 the lung would fold
_RAGGED = 0.6  # mm by which the pleural line leaves a smooth curve
_ROUND = 6.0  # mm over which the collapsed lung's outline is rounded


@dataclass(frozen=True)
class Collapse:
    """The collapsed lung: its outline, and how far it has drawn back in each direction."""

    inside: np.ndarray  # (H, W) in mm: distance from the visceral pleura, positive in the lung
    gap: np.ndarray  # (H, W) in mm: how far the lung has moved here
    down: np.ndarray  # (H, W) in pixels: rows to where a pixel's markings were before
    right: np.ndarray  # (H, W) in pixels: columns likewise


def draw_pneumothorax(
    chest: FilmChest, grey: np.ndarray, *, side: str, severity: float, generator: torch.Generator
) -> np.ndarray:
    """Draw air between lung and chest wall.

    The gap is widest at the apex; a small pneumothorax is apical. The visceral pleura is a thin line of uneven
    brightness without lung markings beyond it. The markings of the collapsed lung draw together towards the hilum, and
    it is denser.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        side: of the patient.
        severity: in (0, 1].
        generator: draws the gap's width and waviness; the same state gives the same shape at every severity.
    """
    lung, mm = chest.lungs[side], chest.mm
    collapse = collapse_of(chest, lung, severity, generator)
    within = blur(lung.soft, 0.6) * ((collapse.gap - 1) / 3).clip(0, 1)  # nothing where the lung touches the wall
    air = sigmoid(-collapse.inside / 0.6) * within
    lost = (0.32 + 0.12 * severity) * (chest.tissue - chest.air)  # the lung's own attenuation
    around = blur(grey, 12 / mm)
    aerated = ((around - 0.6 * chest.air) / (chest.tissue - chest.air) + 0.6).clip(0, 1)
    most = np.minimum(_DARKEST * around, (around - chest.ceiling(_BLACKEST)).clip(0))
    darker = air * np.minimum(lost * aerated, most)
    vessels = markings_of(chest, grey)
    crowded = warp(vessels, collapse.down, collapse.right) - vessels
    lung_left = (1 - sigmoid(-collapse.inside / 0.6)) * blur(lung.soft, 0.6)
    changed = (grey - 0.9 * air * vessels - darker + lung_left * crowded).clip(0)
    uneven = texture(chest.shape, mm, _UNEVEN, generator).clip(None, 2)
    ragged = collapse.inside + _RAGGED * noise(chest.shape, 9 / mm, generator)
    beside_heart = np.abs(chest.grid[1] - heart_border(chest, side)[:, None]) * mm
    uneven *= smoothstep(beside_heart / _LINE_LOST)
    line = _LINE * uneven * np.exp(-((ragged / _LINE_MM) ** 2))
    low = ((chest.grid[0] - lung.apex) / lung.height).clip(0, 1)
    denser = (0.02 + 0.32 * severity**1.4) * lung_left * (1 - 0.9 * low)
    return add_thickness(changed, (line * within + denser) * (blur(lung.soft, 0.6) > 0.02), chest.tissue)


def collapse_of(chest: FilmChest, lung: FilmLung, severity: float, generator: torch.Generator) -> Collapse:
    """Draw a lung's outline downwards and towards the mediastinum.

    With t from 0 where the gap ends to 1 at the apex, a point of the lung sinks by a multiple of t^2, and its distance
    from the mediastinum shrinks by a multiple of t^0.8. The outline is the convex hull of what that leaves.
    """
    apex_gap = (14 + 64 * severity**1.1) * uniform(0.95, 1.05, generator) / chest.mm
    length = min((0.5 + 0.5 * severity) * uniform(0.97, 1.03, generator), 1.0) * lung.height
    sink = min(apex_gap, _MOST_SINKING * length)
    columns = np.flatnonzero(lung.mask.any(axis=0))
    narrow = min(uniform(0.7, 0.8, generator) * apex_gap / (columns[-1] - columns[0]), 0.6)
    phase = uniform(0.5, 1.1, generator)
    old_rows = np.arange(chest.shape[0], dtype=np.float32)
    height = ((lung.apex + length - old_rows) / length).clip(0, 1.1)
    kept = 1 - narrow * height**0.8 * (1 + 0.07 * np.sin(7 * height + phase))
    new_rows = old_rows + sink * height**2
    rows, columns = chest.grid
    source = np.interp(rows, new_rows, old_rows)
    still = lung.hilum[1]
    down, right = source - rows, (columns - still) * (1 / np.interp(source, old_rows, kept) - 1)
    hull = cv2.convexHull(np.argwhere(lung.mask)[:, ::-1].astype(np.int32))
    whole = cv2.fillConvexPoly(np.zeros(chest.shape, np.uint8), hull, 1)
    shrunk = warp(whole.astype(np.float32), down, right) > 0.5
    outline, _ = cv2.findContours(shrunk.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    inside = _signed_distance(chest, cv2.convexHull(np.concatenate(outline)))
    return Collapse(inside, np.hypot(down, right) * chest.mm, down, right)


def _signed_distance(chest: FilmChest, polygon: np.ndarray) -> np.ndarray:
    """Return the distance from a polygon's rounded outline, `(H, W)` in mm, positive inside."""
    filled = np.zeros(chest.shape, np.uint8)
    cv2.fillConvexPoly(filled, polygon, 1)
    sigma = _ROUND / chest.mm
    rounded = blur(filled.astype(np.float32), sigma) > 0.5
    distance = distance_inside(rounded) - distance_inside(~rounded)
    return blur(distance, 1.5) * chest.mm
