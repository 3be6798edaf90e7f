"""Radiograph files as 8-bit squares: the whole image, padded with black."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from x2x_core.imaging.files import read_image

_ORIENTATION = 0x0112  # EXIF tag; 1 is upright


@dataclass(frozen=True)
class Square:
    """A square image, and the mask of its valid pixels.

    `pixels` is uint8 `(S, S)`; `valid` is bool `(S, S)`, False in the black padding of an image that is not square.
    """

    pixels: np.ndarray
    valid: np.ndarray

    def mirrored(self) -> Square:
        """Return the image with left and right exchanged."""
        return Square(np.ascontiguousarray(self.pixels[:, ::-1]), np.ascontiguousarray(self.valid[:, ::-1]))


def read_square(path: str | Path, side: int) -> Square:
    """Read a radiograph, scale its longer side to `side` pixels and centre it on a black square.

    Raises:
        InputNotFoundError: the file does not exist.
        InputError: it cannot be decoded.
    """
    values = _read_grey(Path(path), side)
    scale = side / max(values.shape)
    height, width = (max(1, round(length * scale)) for length in values.shape)
    if values.shape != (height, width):
        shrinks = scale < 1
        values = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    top, left = (side - height) // 2, (side - width) // 2
    pixels, valid = np.zeros((side, side), np.uint8), np.zeros((side, side), bool)
    inner = slice(top, top + height), slice(left, left + width)
    pixels[inner], valid[inner] = values, True
    return Square(pixels, valid)


def _read_grey(path: Path, side: int) -> np.ndarray:
    """Read grey values `(H, W)` uint8; a large JPEG is decoded at the smallest size not below `side`."""
    jpeg = _read_plain_jpeg(path, side) if path.suffix.lower() in (".jpg", ".jpeg") and path.is_file() else None
    if jpeg is not None:
        return jpeg
    grey = read_image(path).pixels[0].mean(0)
    return (grey * 255).round().numpy().astype(np.uint8)


def _read_plain_jpeg(path: Path, side: int) -> np.ndarray | None:
    """Decode a grey upright JPEG, reduced by 2, 4 or 8 while decoding; ``None`` for any other file."""
    try:
        with Image.open(path, formats=("JPEG",)) as image:
            if image.mode != "L" or image.getexif().get(_ORIENTATION, 1) != 1:
                return None
            image.draft("L", _least_size(image.size, side))
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None  # `read_image` reports the problem


def _least_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return int(size[0] * scale), int(size[1] * scale)


def halve(values: np.ndarray) -> np.ndarray:
    """Halve the size, each pixel the mean of four: `(2H, 2W)` to `(H, W)`."""
    height, width = values.shape
    return cv2.resize(values, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
