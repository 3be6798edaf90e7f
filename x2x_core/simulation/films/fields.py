"""Random fields and distances that lesions on films are built from."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform

_WIDEST_DISC = 12  # radius in pixels up to which a mask is grown by OpenCV's disc, whose cost is its area


def noise(shape: tuple[int, int], scale: float, generator: torch.Generator) -> np.ndarray:
    """Draw Gaussian noise of unit standard deviation, smoothed over `scale` pixels, `(H, W)` float32.

    It is drawn on a grid of a third of the scale and enlarged, which is as smooth and much faster.
    """
    step = max(1, int(scale / 3))
    coarse = (-(-shape[0] // step) + 1, -(-shape[1] // step) + 1)
    smooth = blur(torch.randn(coarse, generator=generator).numpy(), scale / step)
    if step > 1:
        smooth = cv2.resize(smooth, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
    smooth = smooth[: shape[0], : shape[1]]
    return smooth / max(float(smooth.std()), 1e-6)


def texture(shape: tuple[int, int], mm: float, scales: dict[float, float], generator: torch.Generator) -> np.ndarray:
    """Draw a multi-scale texture about 1, `(H, W)` float32, at least 0.

    Args:
        shape: `(H, W)`.
        mm: millimetres per pixel.
        scales: smoothing in mm to the standard deviation at that scale.
        generator: draws the noise.
    """
    field = np.ones(shape, np.float32)
    for scale, amount in scales.items():
        field += amount * noise(shape, scale / mm, generator)
    return field.clip(0)


def blur(field: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth a field `(H, W)` by a Gaussian of `sigma` pixels, as float32; borders are reflected."""
    return cv2.GaussianBlur(np.asarray(field, np.float32), (0, 0), sigma)


def blur_line(values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth a line `(N,)` by a Gaussian of `sigma` pixels, as float32; its ends are repeated."""
    column = np.asarray(values, np.float32)[:, None]
    return cv2.GaussianBlur(column, (0, 0), sigmaX=0.1, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE)[:, 0]


def distance_inside(mask: np.ndarray) -> np.ndarray:
    """Return the distance of each pixel of a mask `(H, W)` bool to its outline, in pixels, 0 outside.

    The border of the picture is no outline.
    """
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def grow(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Dilate a mask `(H, W)` bool by a disc of a radius in pixels; a negative radius erodes it.

    The border of the picture is no outline. A wide disc is exact, and its radius does not change the cost; OpenCV's,
    of at most `_WIDEST_DISC`, is rounded outwards by at most half a pixel.
    """
    if pixels == 0:
        return mask
    if abs(pixels) > _WIDEST_DISC:
        return _within(mask, pixels) if pixels > 0 else ~_within(~mask, -pixels)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(pixels) + 1,) * 2)
    return (cv2.dilate if pixels > 0 else cv2.erode)(mask.astype(np.uint8), disc) > 0


def connected_to(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the connected parts of a mask `(H, W)` bool that contain a pixel of `seeds`, of the same shape."""
    _, parts = cv2.connectedComponents(mask.astype(np.uint8))
    touching = np.unique(parts[seeds & mask])
    return np.isin(parts, touching)


def _within(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Return the pixels whose distance to a mask `(H, W)` bool is at most so many pixels."""
    return distance_inside(~mask) <= pixels if mask.any() else mask


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return the logistic function of `values`, safe for large arguments."""
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))


def ellipse(grid: tuple[np.ndarray, np.ndarray], centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    """Return the normalised distance from an ellipse's centre: 1 on its outline.

    Args:
        grid: rows and columns, each `(H, W)`.
        centre: row and column.
        radii: in rows and columns.
    """
    rows, columns = grid
    return np.hypot((rows - centre[0]) / radii[0], (columns - centre[1]) / radii[1])


def pick_near_centre(candidates: np.ndarray, spread: float, generator: torch.Generator) -> tuple[int, int]:
    """Draw a pixel of `candidates`, `(H, W)` bool with at least one True, near the centre of them all.

    Args:
        candidates: pixels to choose from.
        spread: the most that the place leaves the centre, in pixels, in rows and in columns.
        generator: draws the place.
    """
    places = np.argwhere(candidates)
    wanted = places.mean(axis=0) + [uniform(-spread, spread, generator) for _ in range(2)]
    row, column = places[((places - wanted) ** 2).sum(axis=1).argmin()]
    return int(row), int(column)
