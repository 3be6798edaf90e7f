"""Radiograph files: read 8-bit and 16-bit PNG, JPEG, TIFF, BMP, WebP and DICOM, write PNG, without loss of depth.

Conversion to pixels:

- grey stays grey; a colour file whose three channels are equal everywhere is grey;
- palettes are looked up; 1-bit pictures become 8-bit;
- pictures with alpha are composited over black, the background of radiographs;
- the EXIF orientation is applied;
- of several pages the first is read, with a warning;
- DICOM: as a viewer shows it, see `x2x_core.imaging.dicom`.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from x2x_core.common.errors import InputError, InputNotFoundError

from .dicom import read_dicom
from .kinds import is_dicom
from .radiograph import Radiograph

logger = logging.getLogger(__name__)

BIT_DEPTHS = (8, 16)
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_image(path: str | Path) -> Radiograph:
    """Read a radiograph from a PNG, JPEG, TIFF, BMP, WebP or DICOM file.

    Args:
        path: the file.

    Returns:
        Pixels scaled by the file's own depth (value / 255 or value / 65535), depth and mode; for a DICOM file the
        values that a viewer shows.

    Raises:
        InputNotFoundError: no such file.
        MissingExtraError: a DICOM file, and pydicom is not installed.
        InputError: not a picture, damaged, or values that are neither 8-bit nor 16-bit.
    """
    path = Path(path)
    if not path.exists():
        raise InputNotFoundError(f"There is no file `{path}`. Give the path of a PNG, JPEG, TIFF or DICOM file.")
    if not path.is_file():
        raise InputError(f"`{path}` must be a picture file, but is a folder.")
    if is_dicom(path):
        return read_dicom(path)
    mode, values = _read_values(path)
    bit_depth = 16 if values.dtype == np.uint16 else 8
    if bit_depth == 16 and 0 < values.max() < 2**12:
        logger.warning("%s uses at most 12 of its 16 bits: it is read unscaled, and looks dark.", path)
    scaled = values.astype(np.float32) / np.float32(2**bit_depth - 1)
    pixels = torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))[None]
    return Radiograph(pixels, bit_depth, mode, path)


def _read_values(path: Path) -> tuple[str, np.ndarray]:
    """Read the file's mode and its values `(H, W, 1 | 3)`, uint8 or uint16."""
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            mode = picture.mode
            if (pages := getattr(picture, "n_frames", 1)) > 1:
                logger.warning("%s holds %d pictures: the first is read.", path, pages)
            if _is_deep_colour(path, picture):
                return f"{mode};16", _read_deep_colour(path)
            values = _to_values(ImageOps.exif_transpose(picture), path)
    except UnidentifiedImageError as error:
        raise InputError(f"`{path}` is not a PNG, JPEG, TIFF or DICOM picture.") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"`{path}` is too large to be a radiograph: {error}") from error
    except (OSError, SyntaxError, struct.error, EOFError, zlib.error) as error:
        raise InputError(f"`{path}` must be an intact picture, but cannot be decoded: {error}") from error
    return mode, _drop_equal_channels(values)


def _to_values(picture: Image.Image, path: Path) -> np.ndarray:
    """Convert an open picture to 8-bit or 16-bit values `(H, W, 1 | 3)`."""
    if picture.mode in ("I;16", "I;16B", "I;16L", "I;16N", "I"):
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
    if values.size and (values.min() < 0 or values.max() > 2**16 - 1):
        raise InputError(
            f"`{path}` must have 8 or 16-bit values, got values from {values.min()} to {values.max()}: "
            f"save it as 16-bit PNG."
        )
    return values.astype(np.uint16)


def _is_deep_colour(path: Path, picture: Image.Image) -> bool:
    """Return True for 16-bit colour or grey with alpha, which Pillow reduces to 8 bits."""
    if picture.format == "PNG":
        header = path.open("rb").read(26)
        bit_depth, colour_type = header[24], header[25]
        return bit_depth == 16 and colour_type != 0
    bits = picture.tag_v2.get(258, ()) if isinstance(picture, TiffImageFile) else ()
    return len(bits) > 1 and max(bits) == 16


def _read_deep_colour(path: Path) -> np.ndarray:
    values = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16:
        raise InputError(f"`{path}` must be an intact 16-bit picture, but cannot be decoded.")
    if values.ndim == 2:
        return values[..., None]
    if values.shape[2] == 4:
        alpha = values[..., 3:].astype(np.float64) / (2**16 - 1)
        values = np.round(values[..., :3] * alpha).astype(np.uint16)
    return _drop_equal_channels(values[..., ::-1])


def _drop_equal_channels(values: np.ndarray) -> np.ndarray:
    if values.shape[2] == 3 and (values == values[..., :1]).all():
        return values[..., :1]
    return values


def to_values(pixels: torch.Tensor, bit_depth: int) -> np.ndarray:
    """Convert pixels in [0, 1] to integers of `bit_depth` bits.

    Args:
        pixels: `(C, H, W)` or `(1, C, H, W)` with C of 1 or 3, or `(H, W)`; floating point; values
            outside [0, 1] are clipped.
        bit_depth: 8 or 16.

    Returns:
        `(H, W)` for grey or `(H, W, 3)` in the order red, green, blue; uint8 or uint16. Pixels
        read from a file of this depth give exactly the file's values.

    Raises:
        InputError: unsupported depth or shape, NaN or infinite values.
    """
    if bit_depth not in BIT_DEPTHS:
        raise InputError(f"`bit_depth` must be 8 or 16, got {bit_depth}.")
    image = pixels[0] if pixels.ndim == 4 and pixels.shape[0] == 1 else pixels
    image = image[None] if image.ndim == 2 else image
    if image.ndim != 3 or image.shape[0] not in (1, 3) or 0 in image.shape:
        raise InputError(f"`pixels` must be one grey or colour image (C, H, W), got shape {tuple(pixels.shape)}.")
    image = image.detach().to("cpu", torch.float32)
    if not torch.isfinite(image).all():
        raise InputError("`pixels` must be finite numbers, got NaN or infinity.")
    largest = 2**bit_depth - 1
    values = (image.clamp(0, 1) * largest).round().numpy().astype(np.uint8 if bit_depth == 8 else np.uint16)
    return values[0] if len(values) == 1 else np.ascontiguousarray(values.transpose(1, 2, 0))


def write_png(
    path: str | Path,
    pixels: torch.Tensor,
    bit_depth: int = 8,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write an image as PNG with metadata as text chunks.

    Args:
        path: of the new file; its folder must exist.
        pixels: `(C, H, W)` or `(1, C, H, W)`, C of 1 or 3, in [0, 1].
        bit_depth: 8 or 16.
        metadata: keyword to text, see `x2x_core.imaging.provenance`; equal input gives equal bytes.

    Raises:
        InputError: pixels or metadata that PNG does not support.
        InputNotFoundError: no such folder.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputNotFoundError(f"There is no folder `{path.parent}` to write `{path.name}` to. Make it first.")
    values = to_values(pixels, bit_depth)
    path.write_bytes(encode_png(values, metadata))


def encode_png(values: np.ndarray, metadata: Mapping[str, str] | None = None) -> bytes:
    """Encode `(H, W)` or `(H, W, 3)` uint8 or uint16 values as PNG with text chunks."""
    ordered = values if values.ndim == 2 else values[..., ::-1]
    done, data = cv2.imencode(".png", np.ascontiguousarray(ordered))
    if not done:
        raise InputError(f"`values` cannot be written as PNG: shape {values.shape}, {values.dtype}.")
    encoded = data.tobytes()
    header_end = len(_PNG_SIGNATURE) + 25  # the IHDR chunk is 25 bytes long and comes first
    chunks = b"".join(_text_chunk(key, text) for key, text in (metadata or {}).items())
    return encoded[:header_end] + chunks + encoded[header_end:]


def _text_chunk(keyword: str, text: str) -> bytes:
    """Encode a tEXt chunk, or an iTXt chunk (UTF-8) for text outside ASCII."""
    if not (0 < len(keyword) < 80) or not keyword.isascii() or not keyword.isprintable():
        raise InputError(f"`metadata` must have keywords of 1 to 79 printable ASCII letters, got {keyword!r}.")
    if "\0" in text:
        raise InputError(f"`metadata` must hold text without NUL characters, but {keyword!r} has one.")
    if text.isascii():
        kind, body = b"tEXt", keyword.encode() + b"\0" + text.encode()
    else:
        kind, body = b"iTXt", keyword.encode() + b"\0\0\0\0\0" + text.encode()
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def read_text_chunks(path: str | Path) -> dict[str, str]:
    """Read the text chunks of a PNG file, keyword to text.

    Raises:
        InputNotFoundError: no such file.
        InputError: not a PNG file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There is no file `{path}`.")
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            picture.load()
            text_chunks = picture.text if isinstance(picture, PngImageFile) else {}
            return {str(key): str(text) for key, text in text_chunks.items()}
    except UnidentifiedImageError as error:
        raise InputError(f"`{path}` is not a PNG file.") from error
