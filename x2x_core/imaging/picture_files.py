"""Picture files by Pillow and OpenCV: PNG, JPEG, TIFF, BMP, WebP, PGM, PPM and JPEG 2000.

Conversion to pixels:

- grey stays grey; a colour file whose three channels are equal everywhere is grey;
- palettes are looked up; 1-bit pictures become 8-bit;
- pictures with alpha are composited over black, the background of radiographs;
- the EXIF orientation is applied; TIFF files with white as 0 are inverted;
- 16-bit files are scaled by the depth that they declare, else by the one that their values show (`depth`);
- of several pages the first is read, with a warning.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from x2x_core.common.errors import InputError, one_line

from .depth import DEEP_MODES, FULL, depth_note, warn_if_dark, white_level
from .picture_headers import jpeg2000_bits, netpbm_white, png_depth
from .radiograph import Radiograph, to_pixels

logger = logging.getLogger(__name__)

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "PPM", "JPEG2000")
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # TIFF tags
_WHITE_IS_ZERO = 0


@dataclass(frozen=True)
class _Values:
    """Values as a file stores them."""

    mode: str  # Pillow's, with ";16" for colour of 16 bits
    numbers: np.ndarray  # (H, W, 1 | 3), uint8 or uint16
    white: int | None  # that the file declares; None: not declared
    white_is_zero: bool = False


def read_picture(path: Path) -> Radiograph:
    """Read a radiograph from a picture file.

    Raises:
        InputError: not a picture, damaged, or values that are neither 8-bit nor 16-bit.
    """
    stored = _read(path)
    numbers = _drop_equal_channels(stored.numbers)
    if numbers.dtype == np.uint8:
        return Radiograph(to_pixels(numbers, 255), 8, stored.mode, path)
    white = stored.white or white_level(int(numbers.max()))
    if stored.white_is_zero:
        numbers = white - numbers
        white = stored.white or (white_level(int(numbers.max())) if white == FULL else white)
    if stored.white is None:
        warn_if_dark(numbers, str(path))
    note = None if stored.white else depth_note(white)
    if note is not None:
        logger.warning("%s: %s", path, note)
    pixels = to_pixels(np.minimum(numbers, white), white)
    return Radiograph(pixels, 16, stored.mode, path, notes=(note,) if note else (), white=white)


def _read(path: Path) -> _Values:
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            if (pages := getattr(picture, "n_frames", 1)) > 1:
                logger.warning("%s holds %d pictures: the first is read.", path, pages)
            return _stored(picture, path)
    except UnidentifiedImageError as error:
        raise InputError(f"`{path}` is not a PNG, JPEG, TIFF or DICOM picture.") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"`{path}` must be a picture of an ordinary size, but is too large: {error}") from error
    except InputError:
        raise
    except Exception as error:  # damaged files make Pillow and OpenCV raise errors of any type
        raise InputError(f"`{path}` must be an intact picture, but cannot be decoded: {one_line(error)}") from error


def _stored(picture: Image.Image, path: Path) -> _Values:
    """Read the values of an open picture."""
    mode, white, is_inverted = picture.mode, None, False
    deep = mode in DEEP_MODES
    if picture.format == "PNG":
        bits, colour_type, significant = png_depth(path)
        if significant is not None and bits == 16:
            numbers = _deep_values(path) if colour_type else _to_uint16(np.asarray(picture), path)[..., None]
            fits = int(numbers.max()) < 2**significant
            return _Values(_deep_mode(mode, colour_type), numbers, 2**significant - 1 if fits else FULL)
        if bits == 16 and colour_type != 0:
            return _Values(_deep_mode(mode, colour_type), _deep_values(path), None)
    if isinstance(picture, TiffImageFile):
        depths = picture.tag_v2.get(_BITS_PER_SAMPLE, ())
        if len(depths) > 1 and max(depths) == 16:
            return _Values(f"{mode};16", _deep_values(path), None)
        is_inverted = deep and picture.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
        white = 2 ** depths[0] - 1 if depths and 8 < depths[0] < 16 else None
    if picture.format == "PPM":
        declared = netpbm_white(path)
        if declared > 255 and mode == "RGB":
            numbers = np.minimum(_deep_values(path).astype(np.float64) / declared, 1) * FULL
            return _Values("RGB;16", numbers.round().astype(np.uint16), None if declared == FULL else FULL)
        white = FULL if deep and declared != FULL else None  # Pillow scales to 16 bits
    numbers = _to_values(ImageOps.exif_transpose(picture), path)
    if picture.format == "JPEG2000" and numbers.dtype == np.uint16:
        bits = jpeg2000_bits(path) or 16
        if 8 < bits < 16:  # Pillow shifts to 16 bits
            return _Values(mode, numbers >> (16 - bits), 2**bits - 1)
    return _Values(mode, numbers, white, is_inverted)


def _deep_mode(mode: str, colour_type: int) -> str:
    return f"{mode};16" if colour_type else mode


def _to_values(picture: Image.Image, path: Path) -> np.ndarray:
    """Convert an open picture to 8-bit or 16-bit values `(H, W, 1 | 3)`."""
    if picture.mode in DEEP_MODES:
        return _to_uint16(np.asarray(picture), path)[..., None]
    if picture.mode == "F":
        raise InputError(
            f"`{path}` must have 8 or 16-bit values, but holds floating-point numbers: save it as 16-bit PNG."
        )
    if picture.mode == "1":
        return np.asarray(picture.convert("L"))[..., None]
    if picture.mode == "P" or picture.has_transparency_data:
        colour = picture.convert("RGBA")
        black = Image.new("RGBA", colour.size, (0, 0, 0, 255))
        return np.asarray(Image.alpha_composite(black, colour).convert("RGB"))
    if picture.mode == "L":
        return np.asarray(picture)[..., None]
    return np.asarray(picture.convert("RGB"))


def _to_uint16(values: np.ndarray, path: Path) -> np.ndarray:
    if values.size and (values.min() < 0 or values.max() > FULL):
        raise InputError(
            f"`{path}` must have 8 or 16-bit values, got values from {values.min()} to {values.max()}: "
            f"save it as 16-bit PNG."
        )
    return values.astype(np.uint16)


def _deep_values(path: Path) -> np.ndarray:
    """Read 16-bit colour or grey with alpha, which Pillow reduces to 8 bits."""
    values = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16:
        raise InputError(f"`{path}` must be an intact 16-bit picture, but cannot be decoded.")
    if values.ndim == 2:
        return values[..., None]
    if values.shape[2] == 4:
        alpha = values[..., 3:].astype(np.float64) / FULL
        values = np.round(values[..., :3] * alpha).astype(np.uint16)
    return values[..., ::-1]


def _drop_equal_channels(values: np.ndarray) -> np.ndarray:
    if values.shape[2] == 3 and (values == values[..., :1]).all():
        return values[..., :1]
    return values
