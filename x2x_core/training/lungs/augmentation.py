"""Strong random augmentation of a radiograph with its lung masks.

The radiographs are simulated from one or two bodies. Shape, pose, framing, exposure and overlaid objects are therefore
varied far beyond what patients show, so that the network generalises to real patients.
"""

from __future__ import annotations

import cv2
import numpy as np

from .content import add_overlays, add_shape, shade_lungs
from .draws import Draws
from .geometry import collimate_and_pad, mirrored, warp
from .tone import change_sharpness, retone

_NO_CHEST = 0.04  # probability of a picture without lungs
_MIRRORED = 0.3  # probability of mirroring


def augment_view(image: np.ndarray, masks: np.ndarray, size: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Return an augmented view of a radiograph, or (one in 25) a picture without a chest, with empty masks.

    Args:
        image: `(h, w)` float32 in [0, 1].
        masks: `(h, w, M)` uint8; right and left alternate, so that mirroring swaps them in pairs.
        size: side of the view in pixels.
        draws: source of all random numbers.

    Returns:
        The view `(size, size)` float32 in [0, 1], and its masks `(size, size, M)` float32 in [0, 1].
    """
    if draws.random() < _NO_CHEST:
        return _no_chest(size, draws), np.zeros((size, size, masks.shape[2]), np.float32)
    if draws.random() < _MIRRORED:
        image, masks = image[:, ::-1], mirrored(masks)
    image, masks = warp(np.ascontiguousarray(image), np.ascontiguousarray(masks), size, draws)
    masks = masks.astype(np.float32) / 255
    image = shade_lungs(image, masks, draws)
    image = add_overlays(image, draws)
    image = retone(image, draws)
    image = change_sharpness(image, draws)
    image, masks = collimate_and_pad(image, masks, draws)
    return np.clip(image, 0, 1).astype(np.float32), masks


def _no_chest(size: int, draws: Draws) -> np.ndarray:
    """Return a picture without lungs: noise, waves, or a few shapes."""
    kind = draws.random()
    cells = int(draws.choice((2, 4, 8, 32, size)))
    image = cv2.resize(draws.random((cells, cells)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    if kind < 0.4:
        for _ in range(draws.integers(1, 6)):
            image = add_shape(image, draws)
        image = add_overlays(image, draws)
    return np.clip(retone(np.clip(image, 0, 1), draws), 0, 1).astype(np.float32)
