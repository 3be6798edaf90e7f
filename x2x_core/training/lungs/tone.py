"""Augmentation of tone, sharpness and noise of a radiograph."""

from __future__ import annotations

import cv2
import numpy as np

from .draws import Draws, sigmoid


def retone(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Change exposure and processing: window, gamma, S-curve, histogram equalisation, contrast, inversion."""
    low, high = np.quantile(image, (draws.uniform(0, 0.12), draws.uniform(0.85, 1)))
    if draws.random() < 0.5:
        image = (image - low) / max(high - low, 0.05)
    image = np.clip(image, 0, 1)
    image = image ** np.exp(draws.normal(0, 0.45))
    if draws.random() < 0.3:
        steep, middle = draws.uniform(3, 9), draws.uniform(0.3, 0.7)
        image = sigmoid(steep * (image - middle))
    if draws.random() < 0.15:
        equalised = cv2.createCLAHE(draws.uniform(1.5, 5), (4, 4)).apply((image * 255).astype(np.uint8))
        image = equalised.astype(np.float32) / 255
    contrast, grey = np.exp(draws.uniform(-1.2, 0.1)), draws.uniform(0, 1)
    image = grey + contrast * (image - grey)
    return 1 - image if draws.random() < 0.25 else image


def change_sharpness(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Blur or apply unsharp masking, then add noise."""
    kind = draws.random()
    image = np.ascontiguousarray(image, np.float32)
    if kind < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), draws.uniform(0.3, 1.6))
    elif kind < 0.6:
        image = image + draws.uniform(0.3, 2.5) * (image - cv2.GaussianBlur(image, (0, 0), draws.uniform(1, 8)))
    if draws.random() < 0.5:
        grain = draws.normal(0, draws.uniform(0, 0.04), image.shape).astype(np.float32)
        image = image + (cv2.GaussianBlur(grain, (0, 0), 0.7) * 1.5 if draws.random() < 0.5 else grain)
    return image
