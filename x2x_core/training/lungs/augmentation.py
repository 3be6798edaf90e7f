"""Strong random augmentation of a radiograph with its lung masks.

The radiographs are simulated from a few bodies, or films of a few hundred patients. Shape, pose, framing, exposure,
gas under the lungs and overlaid objects are therefore varied far beyond what patients show, so that the network
generalises to other patients.
"""

from __future__ import annotations

import cv2
import numpy as np

from .content import add_overlays, add_shape, shade_lungs
from .draws import Draws
from .gas import add_gas
from .geometry import collimate_and_pad, half_film, mirrored, turned, warp
from .tone import change_sharpness, retone

_NO_CHEST = 0.04  # probability of a picture without lungs
_MIRRORED = 0.3  # probability of mirroring
_TURNED = 0.03  # probability of a radiograph that lies on its side or head, in which no lungs shall be found


def augment_view(image: np.ndarray, masks: np.ndarray, size: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Return an augmented view of a radiograph; sometimes a picture without a chest or a turned one, with empty masks.

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
    image = add_gas(image, masks, draws)
    image = add_overlays(image, draws)
    image = retone(image, draws)
    image = change_sharpness(image, draws)
    image, masks = collimate_and_pad(*half_film(image, masks, draws), draws)
    if draws.random() < _TURNED:
        image, masks = turned(image, draws), np.zeros_like(masks)
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
