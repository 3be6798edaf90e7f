"""Facts from the headers of picture files that Pillow does not report."""

from __future__ import annotations

import re
import struct
from pathlib import Path

_NETPBM = re.compile(rb"P([1-6])((?:\s+|#[^\r\n]*[\r\n])+\d+){2}(?:(?:\s+|#[^\r\n]*[\r\n])+(\d+))?")
_HEAD = 2**16  # bytes to search for a header


def png_depth(path: Path) -> tuple[int, int, int | None]:
    """Return the bit depth and the colour type of a PNG file, and the significant bits that it declares (sBIT)."""
    with path.open("rb") as file:
        header = file.read(33)
        bit_depth, colour_type = header[24], header[25]
        while len(chunk := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", chunk)
            if kind == b"sBIT":
                return bit_depth, colour_type, max(file.read(min(length, 4)), default=None)
            if kind == b"IDAT":
                break
            file.seek(length + 4, 1)
    return bit_depth, colour_type, None


def netpbm_white(path: Path) -> int:
    """Return the number for white in a PGM or PPM file, 1 if it has none."""
    with path.open("rb") as file:
        header = _NETPBM.match(file.read(_HEAD))
    return int(header[3]) if header and header[3] else 1


def jpeg2000_bits(path: Path) -> int | None:
    """Return the bits of the first component of a JPEG 2000 file (ISO 15444-1, A.5.1), `None` without a codestream."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    start = head.find(b"\xff\x4f\xff\x51")  # the markers SOC and SIZ, which come first
    place = start + 42  # of the first component's depth
    return (head[place] & 0x7F) + 1 if start >= 0 and place < len(head) else None
