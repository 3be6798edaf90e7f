"""Pneumothorax on a film: air around a lung that has drawn back from the chest wall."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform

from .chest import FilmChest
from .fields import blur, noise, sigmoid
from .tone import add_thickness

_LINE_MM = 0.55  # half width of the visceral pleura
_LINE = 0.30  # its optical thickness
_MARKINGS_GREY, _MARKINGS_MM = 0.05, 4.0  # of the edge-preserving filter that tells lung markings from ribs


def draw_pneumothorax(
    chest: FilmChest, grey: np.ndarray, *, side: str, severity: float, generator: torch.Generator
) -> np.ndarray:
    """Draw air between lung and chest wall.

    The gap is widest at the apex; a small pneumothorax is apical. The visceral pleura is a thin sharp line without lung
    markings beyond it, and the collapsed lung inside it is a little denser.

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        side: of the patient.
        severity: in (0, 1].
        generator: draws the gap's width and waviness; the same state gives the same shape at every severity.
    """
    lung, mm = chest.lungs[side], chest.mm
    height = ((chest.grid[0] - lung.apex) / lung.height).clip(0, 1)
    end = 0.5 + 0.9 * severity  # share of the lung's height down to which the gap reaches
    gap = 1.3 * (4 + 38 * severity) * (1 - height / end).clip(0) * uniform(0.9, 1.1, generator)
    gap = gap + 1.2 * noise(chest.shape, 30 / mm, generator)
    inside = chest.wall_distance(side) - gap  # mm from the visceral pleura, positive in the lung
    within = blur(lung.soft, 0.6) * ((gap - 1) / 2).clip(0, 1)  # no air and no line where the lung touches the wall
    air = sigmoid(-inside / 0.7) * within
    lost = (0.10 + 0.06 * severity) * (chest.tissue - chest.air)  # the lung's own attenuation
    aerated = ((grey - 0.6 * chest.air) / (chest.tissue - chest.air) + 0.6).clip(0, 1)
    darker = grey - 0.85 * air * _markings(grey, mm) - air * lost * aerated
    lined = add_thickness(darker, _LINE * np.exp(-((inside / _LINE_MM) ** 2)) * within, chest.tissue)
    collapsed = (1 - sigmoid(-inside / 0.7)) * within * lung.mask
    return add_thickness(lined, (0.05 + 0.28 * severity**1.5) * collapsed, chest.tissue)


def _markings(grey: np.ndarray, mm: float) -> np.ndarray:
    """Return the lung markings: what an edge-preserving filter takes away, while ribs stay in the filtered film."""
    return grey - cv2.bilateralFilter(grey.astype(np.float32), 0, _MARKINGS_GREY, max(2.0, _MARKINGS_MM / mm))
