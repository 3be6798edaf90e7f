"""Augmentation of what lies under the lungs: gas in stomach and colon, as dark as lung, behind a dome."""

from __future__ import annotations

import cv2
import numpy as np

from .draws import Draws

_SMALLEST = 12  # width of a lung field in pixels below which no gas is drawn under it


def add_gas(image: np.ndarray, masks: np.ndarray, draws: Draws) -> np.ndarray:
    """Add gas under one or both lung fields, each at random: a bubble of the stomach, or a row of the colon's haustra.

    Args:
        image: `(h, w)` float32.
        masks: `(h, w, M)` float32 in [0, 1]; the first two are the right and the left field, which the gas spares.
        draws: source of all random numbers.

    Returns:
        The image, float32.
    """
    for side, probability in ((0, 0.12), (1, 0.4)):
        if draws.random() < probability:
            image = _under(image, masks[..., side], masks[..., :2].max(2), draws)
    return image


def _under(image: np.ndarray, field: np.ndarray, fields: np.ndarray, draws: Draws) -> np.ndarray:
    """Draw gas below the lower border of a field."""
    columns = np.flatnonzero((field > 0.5).any(0))
    if len(columns) < _SMALLEST:
        return image
    size = len(image)
    width = len(columns)
    middle = int(np.clip(columns[0] + width * draws.uniform(0.1, 0.9), columns[0], columns[-1]))
    rows = np.flatnonzero(field[:, middle] > 0.5)
    if not len(rows):
        return image
    wall = draws.uniform(1, 0.06 * size) if draws.random() < 0.75 else draws.uniform(0.06, 0.2) * size
    cover = _bubbles(size, middle, rows[-1] + wall, width, draws)
    spared = cv2.dilate((fields > 0.3).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    cover = cv2.GaussianBlur(cover * (1 - spared), (0, 0), draws.uniform(0.4, 1.2)) * draws.uniform(0.35, 1)
    lung = float(np.median(image[field > 0.5]))
    grey = lung + draws.normal(0, 0.3) * (lung - float(np.median(image)))
    return (image * (1 - cover) + grey * cover).astype(np.float32)


def _bubbles(size: int, middle: float, top: float, width: int, draws: Draws) -> np.ndarray:
    """Return a bubble whose top is at a row, or a row of bubbles, `(size, size)` float32 in [0, 1]."""
    drawn = np.zeros((size, size), np.uint8)
    count = 1 if draws.random() < 0.65 else int(draws.integers(2, 5))
    across = draws.uniform(0.15, 0.55) * width / np.sqrt(count)
    down = across * np.exp(draws.normal(-0.2, 0.35))
    for number in range(count):
        centre = (middle + (number - (count - 1) / 2) * 1.6 * across, top + down + draws.normal(0, 0.1) * down * number)
        place = tuple(round(8 * float(v)) for v in centre)
        axes = (max(8, round(8 * float(across))), max(8, round(8 * float(down))))
        cv2.ellipse(drawn, place, axes, float(draws.normal(0, 20)), 0, 360, 255, -1, cv2.LINE_AA, 3)
    if draws.random() < 0.4:  # a level of fluid: the bubble is flat below
        drawn[min(size, round(top + down * draws.uniform(0.8, 1.8))) :] = 0
    return drawn.astype(np.float32) / 255
