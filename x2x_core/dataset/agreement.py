"""Agreement of two registered images in structure, whatever their exposure."""

from __future__ import annotations

import math

import cv2
import numpy as np

_FINEST = 256  # largest size at which the agreement is measured


def agreement(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Measure how similar two images are in structure: 1 equal, 0 unrelated, negative for inverted.

    The result is the correlation of both images after each is normalised by the local mean and standard deviation (a
    Gaussian of a twentieth of the size), so that exposure, contrast and large shadows count little and the edges of
    ribs, heart and diaphragm count much.

    Args:
        first: uint8 `(S, S)`.
        second: uint8 `(S, S)`.
        mask: bool `(S, S)`, the pixels to compare.

    Returns:
        A value in [-1, 1]; 0 if nothing can be compared.
    """
    side = min(_FINEST, first.shape[0])
    inside = cv2.resize(mask.astype(np.uint8) * 255, (side, side), interpolation=cv2.INTER_AREA) == 255
    if inside.sum() < 16:
        return 0.0
    a, b = (
        _normalised(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), inside)[inside]
        for image in (first, second)
    )
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return float((a * b).sum()) / spread if spread > 0 else 0.0


def _normalised(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Normalise by the local mean and standard deviation; pixels outside the mask are ignored."""

    def blur(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (0, 0), pixels.shape[0] / 20)

    weight = mask.astype(np.float64)
    total = blur(weight) + 1e-6
    difference = (pixels - blur(pixels * weight) / total) * weight
    spread = np.sqrt(blur(difference**2) / total)
    return difference / (spread + 4)  # differences of a few grey levels are noise
