"""Gaussian blur of any width for about the cost of a narrow one."""

from __future__ import annotations

import cv2
import numpy as np

#: Standard deviation in pixels at which a plane is blurred at most: for a wider blur it is downsampled before.
WIDEST = 8.0
# Standard deviation in pixels below which `smooth` blurs at full size.
_AT_FULL_SIZE = 16.0


def smooth(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Blur a plane `(H, W)` float32 by a Gaussian of `sigma` pixels, at a smaller size if it is wide."""
    if sigma < _AT_FULL_SIZE:
        return cv2.GaussianBlur(plane, (0, 0), sigma)
    return wide_blur(plane, sigma)


def wide_blur(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Blur a plane `(H, W)` float32 by a Gaussian of `sigma` pixels; borders are reflected.

    Args:
        plane: the plane.
        sigma: above `WIDEST`, the plane is blurred at a smaller size.
    """
    height, width = plane.shape
    step = max(1.0, sigma / WIDEST)
    if step > 1:
        size = (max(1, round(width / step)), max(1, round(height / step)))
        plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(plane, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR) if step > 1 else soft
