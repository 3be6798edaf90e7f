"""Deflated DICOM files: a small file that unpacks to more than any radiograph holds is refused before it is read."""

from __future__ import annotations

import zlib
from pathlib import Path

from x2x_core.common.errors import InputError

from .pixel_shape import LARGEST

DEFLATED = "1.2.840.10008.1.2.1.99"
MOST = 3 * LARGEST  # bytes of an unpacked data set
_PREAMBLE = 132
_RAW = -15  # zlib's number of a stream without a header


def check_deflation(path: Path) -> None:
    """Check that a DICOM file does not unpack to more than `MOST` bytes; other files pass.

    Args:
        path: the file.

    Raises:
        InputError: it does; its message completes a sentence that begins with the path.
    """
    from pydicom.filereader import read_file_meta_info

    with path.open("rb") as file:
        if file.read(_PREAMBLE)[128:] != b"DICM":
            return
    meta = read_file_meta_info(path)
    if str(meta.get("TransferSyntaxUID", "")) != DEFLATED:
        return
    unpacker, count = zlib.decompressobj(_RAW), 0
    with path.open("rb") as file:
        # the group length counts from the end of its own element, of 12 bytes
        file.seek(_PREAMBLE + 12 + int(meta.get("FileMetaInformationGroupLength", 0)))
        while block := file.read(2**16):
            while block and count <= MOST:
                count += len(unpacker.decompress(block, 2**20))
                block = unpacker.unconsumed_tail
            if count > MOST:
                raise InputError(f"must unpack to at most {MOST} bytes, but is far larger")
