"""Radiograph files as 8-bit squares: the whole picture, nothing cut off, black where there is none."""

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
    """A square picture and where it shows the file's own pixels.

    `pixels` is uint8 `(S, S)`; `valid` bool `(S, S)`, ``False`` in the black bands beside a picture that is not square.
    """

    pixels: np.ndarray
    valid: np.ndarray


def read_square(path: str | Path, side: int) -> Square:
    """Read a radiograph, scale its longer side to `side` pixels and centre it on a black square.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it can't be decoded.
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
    """Grey values `(H, W)` uint8; a large JPEG comes at the smallest size that holds `side`."""
    quick = _read_plain_jpeg(path, side) if path.suffix.lower() in (".jpg", ".jpeg") and path.is_file() else None
    if quick is not None:
        return quick
    grey = read_image(path).pixels[0].mean(0)
    return (grey * 255).round().numpy().astype(np.uint8)


def _read_plain_jpeg(path: Path, side: int) -> np.ndarray | None:
    """A grey upright JPEG, scaled down while it is decoded (by 2, 4 or 8); ``None`` where it is something else."""
    try:
        with Image.open(path, formats=("JPEG",)) as picture:
            if picture.mode != "L" or picture.getexif().get(_ORIENTATION, 1) != 1:
                return None
            picture.draft("L", _least_size(picture.size, side))
            return np.asarray(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None  # what is wrong is said by `read_image`


def _least_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return tuple(int(length * scale) for length in size)


def halve(values: np.ndarray) -> np.ndarray:
    """Half the size, each pixel the mean of four: `(2H, 2W)` to `(H, W)`."""
    height, width = values.shape
    return cv2.resize(values, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
