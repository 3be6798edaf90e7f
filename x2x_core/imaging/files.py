"""Radiograph files: read pictures, DICOM, NIfTI and NumPy files, write PNG, without loss of depth.

Each kind of file is read by its own module: `picture_files` (PNG, JPEG, TIFF, BMP, WebP, PGM, PPM, JPEG 2000), `dicom`,
`nifti` and `array_files`.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from x2x_core.common.errors import InputError, InputNotFoundError

from .array_files import read_array_file
from .dicom import read_dicom
from .kinds import is_dicom, is_nifti, is_numpy
from .nifti import read_nifti
from .picture_files import read_picture
from .radiograph import Radiograph

BIT_DEPTHS = (8, 16)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_image(path: str | Path) -> Radiograph:
    """Read a radiograph from a PNG, JPEG, TIFF, BMP, WebP, PGM, PPM, JPEG 2000, DICOM, NIfTI or NumPy file.

    Args:
        path: the file.

    Returns:
        Pixels scaled by the file's own depth, depth and mode. A picture of 16 bits whose values need fewer is scaled by
        the bits that they need, and its `notes` say so; for a DICOM file the values that a viewer shows.

    Raises:
        InputNotFoundError: no such file.
        MissingExtraError: a DICOM file, and pydicom is not installed.
        InputError: not a radiograph, damaged, or values that cannot be displayed.
    """
    path = Path(path)
    if not os.path.exists(path):
        raise InputNotFoundError(f"There is no file `{path}`. Give the path of a PNG, JPEG, TIFF or DICOM file.")
    if not os.path.isfile(path):
        raise InputError(f"`{path}` must be a picture file, but is a folder.")
    if is_dicom(path):
        return read_dicom(path)
    if is_nifti(path):
        return read_nifti(path)
    return read_array_file(path) if is_numpy(path) else read_picture(path)


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
    """Encode `(H, W)` or `(H, W, 3)` uint8 or uint16 values as PNG with text chunks.

    Files of 16 bits declare in a chunk (sBIT) that all of them count, so that dark ones are not taken for fewer bits.
    """
    ordered = values if values.ndim == 2 else values[..., ::-1]
    done, data = cv2.imencode(".png", np.ascontiguousarray(ordered))
    if not done:
        raise InputError(f"`values` cannot be written as PNG: shape {values.shape}, {values.dtype}.")
    encoded = data.tobytes()
    header_end = len(PNG_SIGNATURE) + 25  # the IHDR chunk is 25 bytes long and comes first
    chunks = (
        _chunk(b"sBIT", bytes([16] * (values.shape[2] if values.ndim == 3 else 1))) if values.itemsize == 2 else b""
    )
    chunks += b"".join(_text_chunk(key, text) for key, text in (metadata or {}).items())
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
    return _chunk(kind, body)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def read_text_chunks(path: str | Path) -> dict[str, str]:
    """Read the text chunks of a PNG file, keyword to text.

    Raises:
        InputNotFoundError: no such file.
        InputError: not a PNG file, or a damaged one.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise InputNotFoundError(f"There is no file `{path}`.")
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            picture.load()
            text_chunks = picture.text if isinstance(picture, PngImageFile) else {}
            return {str(key): str(text) for key, text in text_chunks.items()}
    except UnidentifiedImageError as error:
        raise InputError(f"`{path}` is not a PNG file.") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"`{path}` has too many pixels: {error}") from error
    except Exception as error:  # damaged files make Pillow raise errors of any type
        raise InputError(f"`{path}` must be an intact PNG file, but cannot be read.") from error
