"""Which files are radiographs, by name and first bytes; imports nothing heavy."""

from __future__ import annotations

import struct
from pathlib import Path

PICTURE, DICOM = "picture", "DICOM"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
DICOM_SUFFIXES = (".dcm", ".dicom")
_INDEX = "DICOMDIR"  # the table of contents of a disc: DICOM, but no picture
_VALUE_KINDS = (b"UL", b"UI", b"CS", b"DA", b"OB")  # of the first elements of a data set


def is_dicom(path: str | Path) -> bool:
    """Whether a file is DICOM: by its mark ("DICM" at byte 128), its suffix, or a beginning as of files without the mark."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError:  # who reads the file says what is wrong with it
        return path.suffix.lower() in DICOM_SUFFIXES
    return head[128:] == b"DICM" or path.suffix.lower() in DICOM_SUFFIXES or _begins_as_data_set(head)


def _begins_as_data_set(head: bytes) -> bool:
    """Whether the first element is one of group 2 or 8 with a known kind or a short length, as old files begin."""
    if len(head) < 8:
        return False
    for order in "<>":
        group, element, length = struct.unpack(f"{order}HHI", head[:8])
        if group in (2, 8) and element <= 0x18 and (head[4:6] in _VALUE_KINDS or length <= 64):
            return True
    return False


def is_radiograph_file(path: Path) -> bool:
    """Whether a file of a folder is one to read: by its suffix, or, without one or with a number (identifiers), by content."""
    suffix = path.suffix.lower()
    if suffix in (*PICTURE_SUFFIXES, *DICOM_SUFFIXES):
        return path.is_file()
    maybe = (not suffix or suffix[1:].isdigit()) and path.name.upper() != _INDEX and path.is_file()
    return maybe and is_dicom(path)


def stem(path: Path) -> str:
    """A file's name without the suffix of its kind; a number after a point belongs to the name."""
    return path.stem if path.suffix.lower() in (*PICTURE_SUFFIXES, *DICOM_SUFFIXES) else path.name
