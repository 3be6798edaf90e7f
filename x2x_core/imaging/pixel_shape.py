"""Square pixels: resampling of pictures whose pixels are higher than wide, or wider than high."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

LARGEST = 2**27  # pixels of a picture; a larger size means a damaged or malicious file


def height_to_width(spacing: Sequence[float]) -> float | None:
    """Return a pixel's height divided by its width.

    Args:
        spacing: distance of the rows and of the columns, in any unit; a single value means square pixels.

    Returns:
        The ratio, `None` if the spacing is not one or two positive numbers.
    """
    if len(spacing) not in (1, 2) or not all(math.isfinite(value) and value > 0 for value in spacing):
        return None
    ratio = spacing[0] / spacing[-1]
    return ratio if math.isfinite(ratio) and ratio > 0 else None


def square_pixels(values: np.ndarray, ratio: float) -> tuple[np.ndarray, list[str]]:
    """Make pixels square: the coarser direction is resampled to the spacing of the finer one.

    Args:
        values: `(H, W)` or `(H, W, C)`.
        ratio: a pixel's height divided by its width.

    Returns:
        The values, unchanged if the ratio differs from 1 by less than 1 %, and notes.
    """
    if abs(ratio - 1) < 0.01:  # below the accuracy of the geometry
        return values, []
    height, width = values.shape[:2]
    longer = height * ratio if ratio > 1 else width / ratio
    if longer * (width if ratio > 1 else height) > LARGEST:
        return values, ["The aspect ratio of its pixels is implausible, and was ignored."]
    size = (width, round(longer)) if ratio > 1 else (round(longer), height)
    resized = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    fact = (
        f"Pixels {ratio:.3g} times as high as wide: resampled from {width} x {height} to {size[0]} x {size[1]} pixels."
    )
    return resized, [fact]
