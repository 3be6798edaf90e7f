"""Uploads: files of four kinds, whose size is read from their header before anything is decoded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra
from x2x_core.imaging.dicom_deflation import DEFLATED
from x2x_core.imaging.files import read_image
from x2x_core.imaging.kinds import is_dicom
from x2x_core.imaging.radiograph import Radiograph

# First bytes to Pillow's format and a suffix.
_MARKS = {
    b"\x89PNG\r\n\x1a\n": ("PNG", ".png"),
    b"\xff\xd8\xff": ("JPEG", ".jpg"),
    b"II*\x00": ("TIFF", ".tif"),
    b"MM\x00*": ("TIFF", ".tif"),
}
_LONGEST_MARK = 8
_KINDS = "a PNG, JPEG, TIFF or DICOM file"


def read_upload(path: Path, max_pixels: int) -> Radiograph:
    """Read an uploaded radiograph.

    Args:
        path: of the file; its name says nothing of its kind.
        max_pixels: of the picture.

    Returns:
        The radiograph, whose file now has the suffix of its kind.

    Raises:
        InputError: another kind of file, more pixels, damaged, or a decoder is missing.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST_MARK)
    found = next((kind for mark, kind in _MARKS.items() if head.startswith(mark)), None)
    if found is None and not is_dicom(path):
        raise InputError(f"`image` must be {_KINDS}, but its content is none of these.")
    picture_format, suffix = found or (None, ".dcm")
    width, height = _dicom_size(path) if picture_format is None else _picture_size(path, picture_format)
    if width * height > max_pixels:
        raise InputError(
            f"`image` must have at most {max_pixels} pixels, but has {width} x {height}. Send a smaller one."
        )
    return read_image(path.rename(path.with_name(f"upload{suffix}")))


def _picture_size(path: Path, picture_format: str) -> tuple[int, int]:
    """Return width and height of a picture from its header."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=(picture_format,)) as picture:
            return picture.size
    except Image.DecompressionBombError as error:
        raise InputError(f"`image` has far too many pixels: {error}") from error
    except Exception as error:  # damaged files make Pillow raise errors of any type
        raise InputError(f"`image` must be an intact {picture_format} file, but cannot be read.") from error


def _dicom_size(path: Path) -> tuple[int, int]:
    """Return columns and rows of a DICOM file from its elements; (0, 0) for what it lacks, which reading reports."""
    with needs_extra("Reading DICOM", "pydicom", "dicom"):
        import pydicom
        from pydicom.filereader import read_file_meta_info
    try:
        meta: Any = read_file_meta_info(path) if _has_preamble(path) else {}
        if str(meta.get("TransferSyntaxUID", "")) == DEFLATED:
            raise InputError("`image` is a deflated DICOM file, which is not accepted: send it without deflation.")
        dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=["Rows", "Columns"])
        return _whole(dataset.get("Columns")), _whole(dataset.get("Rows"))
    except InputError:
        raise
    except Exception as error:  # pydicom raises many types, whose messages may quote the patient's data
        raise InputError(
            f"`image` must be an intact DICOM file, but cannot be read ({type(error).__name__})."
        ) from error


def _has_preamble(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
