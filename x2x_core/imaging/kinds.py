"""Recognise radiograph files by name and first bytes, without heavy imports."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

PICTURE, DICOM, NIFTI, NUMPY = "picture", "DICOM", "NIfTI", "NumPy"
PICTURE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".pnm", ".jp2", ".j2k", ".jpc",
)  # fmt: skip
DICOM_SUFFIXES = (".dcm", ".dicom")
NIFTI_SUFFIXES = (".nii", ".nii.gz")
NUMPY_SUFFIXES = (".npy",)
SUFFIXES = (*PICTURE_SUFFIXES, *DICOM_SUFFIXES, *NIFTI_SUFFIXES, *NUMPY_SUFFIXES)
PUBLISHED_MASKS = ("pseudo_mask_", "mask_")  # beginnings of the names of published masks, which are NumPy files
_GZIP, _NUMPY_MARK = b"\x1f\x8b", b"\x93NUMPY"
_NIFTI_SIZES = (348, 540)  # bytes of the headers of NIfTI-1 and NIfTI-2, which are their first number
_INDEX = "DICOMDIR"  # table of contents of a disc: DICOM without a picture
_VALUE_KINDS = (b"UL", b"UI", b"CS", b"DA", b"OB")  # value representations of the first elements of a data set


def is_dicom(path: str | Path) -> bool:
    """Return True if a file is DICOM: by the mark "DICM" at byte 128, its suffix, or its first element."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError:  # reported by the function that reads the file
        return path.suffix.lower() in DICOM_SUFFIXES
    return head[128:] == b"DICM" or path.suffix.lower() in DICOM_SUFFIXES or _begins_as_data_set(head)


def _begins_as_data_set(head: bytes) -> bool:
    """Return True for a first element of group 2 or 8 with a known VR or a short length, as in unmarked files."""
    if len(head) < 8:
        return False
    for order in "<>":
        group, element, length = struct.unpack(f"{order}HHI", head[:8])
        if group in (2, 8) and element <= 0x18 and (head[4:6] in _VALUE_KINDS or length <= 64):
            return True
    return False


def is_nifti(path: str | Path) -> bool:
    """Return True if a file is NIfTI, compressed or not: by its suffix, or its first number."""
    path = Path(path)
    if path.name.lower().endswith(NIFTI_SUFFIXES):
        return True
    head = _head(path, 4)
    if head[:2] == _GZIP:
        try:
            with gzip.open(path) as file:
                head = file.read(4)
        except (OSError, EOFError, zlib.error):
            return False
    return len(head) == 4 and any(struct.unpack(f"{order}i", head)[0] in _NIFTI_SIZES for order in "<>")


def is_numpy(path: str | Path) -> bool:
    """Return True if a file holds a NumPy array: by its suffix, or its mark."""
    path = Path(path)
    return path.suffix.lower() in NUMPY_SUFFIXES or _head(path, 6) == _NUMPY_MARK


def _head(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:  # reported by the function that reads the file
        return b""


def is_radiograph_file(path: Path) -> bool:
    """Return True for a file to read from a folder: by its suffix, or by content without one or with a number.

    NumPy files with the names of published masks are not radiographs.
    """
    suffix, name = path.suffix.lower(), path.name.lower()
    if name.endswith(SUFFIXES):
        return path.is_file() and not (suffix in NUMPY_SUFFIXES and name.startswith(PUBLISHED_MASKS))
    maybe = (not suffix or suffix[1:].isdigit()) and path.name.upper() != _INDEX and path.is_file()
    return maybe and is_dicom(path)


def stem(path: Path) -> str:
    """Return a file's name without a radiograph suffix; a number after a point belongs to the name."""
    suffix = max((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), key=len, default="")
    return path.name[: len(path.name) - len(suffix)]
