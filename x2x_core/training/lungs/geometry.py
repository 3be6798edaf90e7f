"""Geometric augmentation of a radiograph with its lung masks."""

from __future__ import annotations

import cv2
import numpy as np

from .draws import Draws

_HALF = 1 / 15  # probability of a part of a chest


def mirrored(masks: np.ndarray) -> np.ndarray:
    """Return the masks `(h, w, M)` of the mirrored image; right and left, which alternate, are swapped."""
    order = [number ^ 1 for number in range(masks.shape[2])]
    return masks[:, ::-1][..., order]


def warp(image: np.ndarray, masks: np.ndarray, size: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Apply an affine map, a smooth random displacement and local swellings, in one resampling."""
    across, down = _sampling_grid(size, draws)
    side = image.shape[0]
    columns, rows = (np.float32(side) * axis - np.float32(0.5) for axis in (across, down))
    soft = cv2.GaussianBlur(image, (0, 0), 0.35 * side / size) if side > size else image
    border = cv2.BORDER_REPLICATE if draws.random() < 0.6 else cv2.BORDER_CONSTANT
    warped = cv2.remap(
        soft, columns, rows, cv2.INTER_LINEAR, borderMode=border, borderValue=float(draws.random() < 0.15)
    )
    return warped, cv2.remap(masks, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def _sampling_grid(size: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each pixel of the view in the image.

    Returns:
        x and y `(size, size)` float32, as shares of the image's sides.
    """
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = np.meshgrid(axis, axis)
    zoom = np.exp(draws.uniform(-0.65, 0.15) if draws.random() < 0.8 else draws.uniform(0.15, 0.8))
    aspect = np.exp(draws.uniform(-0.28, 0.28))
    angle = np.radians(draws.normal(0, 7))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, draws.normal(0, 0.06)], [draws.normal(0, 0.06), 1]])
    matrix = np.diag([zoom * aspect, zoom / aspect]) @ shear @ turn
    shift = draws.normal(0, 0.09, 2) * (1 + max(0, zoom - 1))
    across = matrix[0, 0] * x + matrix[0, 1] * y + shift[0]
    down = matrix[1, 0] * x + matrix[1, 1] * y + shift[1] - 0.03
    across, down = _swell(across, down, draws)
    spread = draws.uniform(0, 0.035)
    for cells in (3, 5):
        wave = draws.normal(0, spread * (3 / cells) ** 1.5, (2, cells, cells)).astype(np.float32)
        across = across + cv2.resize(wave[0], (size, size), interpolation=cv2.INTER_CUBIC)
        down = down + cv2.resize(wave[1], (size, size), interpolation=cv2.INTER_CUBIC)
    taper = draws.normal(0, 0.18)  # the chest's width changes from top to bottom
    across = across * (1 + taper * down)
    return (across + 0.5).astype(np.float32), (down + 0.5).astype(np.float32)


def _swell(across: np.ndarray, down: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Swell or shrink up to three places: a larger heart, a narrower lung, a higher diaphragm."""
    for _ in range(draws.integers(0, 4)):
        middle = draws.uniform((-0.3, -0.25), (0.3, 0.3))
        reach = draws.uniform(0.10, 0.22)
        strength = draws.uniform(-0.4, 0.4)
        dx, dy = across - middle[0], down - middle[1]
        pull = strength * np.exp(-0.5 * (dx**2 + dy**2) / reach**2)
        across, down = across - pull * dx, down - pull * dy
    return across, down


def collimate_and_pad(image: np.ndarray, masks: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Add borders of one grey that hide the image (collimation), and padding with the border pixels."""
    size = image.shape[0]
    if draws.random() < 0.35:
        margins = (draws.random(4) < 0.5) * draws.uniform(0, 0.14, 4) * size
        top, bottom, left, right = margins.astype(int)
        inside = np.zeros((size, size), bool)
        inside[top : size - bottom, left : size - right] = True
        grey = draws.choice((0.0, 0.0, 1.0, draws.random()))
        image, masks = np.where(inside, image, grey), masks * inside[..., None]
    if draws.random() < 0.25:
        cut = int(draws.uniform(0.04, 0.2) * size)
        rows = np.clip(np.arange(size), cut, size - 1 - cut)
        kept = ((np.arange(size) >= cut) & (np.arange(size) < size - cut)).astype(np.float32)
        if draws.random() < 0.5:
            image, masks = image[rows], masks * kept[:, None, None]
        else:
            image, masks = image[:, rows], masks * kept[None, :, None]
    return image, masks


def half_film(image: np.ndarray, masks: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Return, one time in 15, a part of the view that cuts through the chest, stretched to the view's size."""
    if draws.random() >= _HALF:
        return image, masks
    size = len(image)
    kept = round(size * draws.uniform(0.5, 0.75))
    first = 0 if draws.random() < 0.5 else size - kept
    part = (slice(first, first + kept), slice(None))[:: 1 if draws.random() < 0.5 else -1]
    image, masks = (
        np.asarray(cv2.resize(np.ascontiguousarray(picture[part]), (size, size), interpolation=cv2.INTER_LINEAR))
        for picture in (image, masks)
    )
    return image, masks


def turned(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Return a picture turned by a quarter, a half or three quarters."""
    return np.ascontiguousarray(np.rot90(image, int(draws.integers(1, 4))))
