"""NumPy files (`.npy`) as radiographs."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch

from x2x_core.common.errors import InputError

from .depth import FULL, depth_note, warn_if_dark, white_level
from .kinds import NUMPY
from .pixel_shape import LARGEST
from .radiograph import Radiograph, to_pixels
from .ranges import is_signed

logger = logging.getLogger(__name__)

_COLOURS = (3, 4)  # channels of a colour picture; the fourth is alpha, and is dropped


def read_array_file(path: Path) -> Radiograph:
    """Read a radiograph from a NumPy file.

    The array is `(H, W)`, `(H, W, 3)`, or either with axes of length 1: integers in 0 to 255 or 0 to 65535, truth
    values, or floating point in [0, 1] or [-1, 1]. 16-bit integers are scaled by the bits that they need.

    Raises:
        InputError: not an array, damaged, of another shape or range, or an array of objects.
    """
    array = _load(path)
    picture = _picture(array, path)
    if picture.dtype.kind == "f":
        return _from_floats(picture, path)
    if picture.dtype == bool:
        return Radiograph(to_pixels(picture, 1), 8, "bool", path, NUMPY)
    if picture.dtype.kind not in "iu" or int(picture.min()) < 0 or int(picture.max()) > FULL:
        raise InputError(
            f"`{path}` must hold integers from 0 to {FULL} or floating-point numbers in [0, 1], but holds "
            f"{picture.dtype} from {picture.min()} to {picture.max()}: scale it first."
        )
    mode = str(picture.dtype)
    if picture.dtype.itemsize == 1:
        return Radiograph(to_pixels(picture, 255), 8, mode, path, NUMPY)
    white = white_level(int(picture.max()))
    warn_if_dark(picture, str(path))
    note = depth_note(white)
    if note is not None:
        logger.warning("%s: %s", path, note)
    return Radiograph(to_pixels(picture, white), 16, mode, path, NUMPY, (note,) if note else (), white)


def _load(path: Path) -> np.ndarray:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)  # checks the size before any memory is taken
        if mapped.size > 4 * LARGEST:
            raise InputError(f"`{path}` must have up to {LARGEST} pixels, got an array of shape {mapped.shape}.")
        return np.array(mapped)
    except InputError:
        raise
    except Exception as error:  # damaged headers make NumPy raise many types
        message = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"`{path}` must be an intact NumPy array of numbers, but cannot be read: {message}."
        ) from error


def _picture(array: np.ndarray, path: Path) -> np.ndarray:
    """Return `(H, W)` or `(H, W, 3)`."""
    squeezed = array
    while squeezed.ndim > 2 and 1 in squeezed.shape:
        squeezed = squeezed.squeeze(squeezed.shape.index(1))
    is_picture = squeezed.ndim == 2 or (squeezed.ndim == 3 and squeezed.shape[2] in _COLOURS)
    if not is_picture or not squeezed.size or squeezed.dtype.kind not in "biuf":
        raise InputError(
            f"`{path}` must hold one picture of numbers, (H, W) or (H, W, 3), but holds {array.dtype} of shape "
            f"{array.shape}."
        )
    picture = squeezed[..., :3] if squeezed.ndim == 3 else squeezed
    if picture.ndim == 3 and (picture == picture[..., :1]).all():
        return picture[..., 0]
    return picture


def _from_floats(picture: np.ndarray, path: Path) -> Radiograph:
    values = picture.astype(np.float64)
    try:
        signed = is_signed([torch.from_numpy(values)])
    except InputError as error:
        raise InputError(str(error).replace("`image`", f"`{path}`")) from error
    unit = np.clip((values + 1) / 2 if signed else values, 0, 1)
    notes = ("Values in [-1, 1] were scaled to [0, 1].",) if signed else ()
    return Radiograph(to_pixels(unit, 1), 16, str(picture.dtype), path, NUMPY, notes)
