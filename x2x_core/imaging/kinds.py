"""Recognise radiograph files by name and first bytes, without heavy imports."""

from __future__ import annotations

import struct
from pathlib import Path

PICTURE, DICOM = "picture", "DICOM"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
DICOM_SUFFIXES = (".dcm", ".dicom")
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


def is_radiograph_file(path: Path) -> bool:
    """Return True for a file to read from a folder: by its suffix, or by content without one or with a number."""
    suffix = path.suffix.lower()
    if suffix in (*PICTURE_SUFFIXES, *DICOM_SUFFIXES):
        return path.is_file()
    maybe = (not suffix or suffix[1:].isdigit()) and path.name.upper() != _INDEX and path.is_file()
    return maybe and is_dicom(path)


def stem(path: Path) -> str:
    """Return a file's name without a radiograph suffix; a number after a point belongs to the name."""
    return path.stem if path.suffix.lower() in (*PICTURE_SUFFIXES, *DICOM_SUFFIXES) else path.name
