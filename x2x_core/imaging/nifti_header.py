"""Headers of NIfTI-1 and NIfTI-2 files (nifti.nimh.nih.gov), uncompressed or compressed by gzip, in one file."""

from __future__ import annotations

import gzip
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np

from x2x_core.common.errors import InputError

DTYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
COLOURS = {128: 3, 2304: 4}  # bytes of a coloured pixel
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class NiftiHeader:
    """Fields of a NIfTI header that describe its picture."""

    shape: tuple[int, ...]  # columns first, as stored
    datatype: int
    offset: int  # of the values, in bytes
    scaling: tuple[float, float]  # slope and intercept; a slope of 0 means none
    displayed: tuple[float, float]  # lowest and highest value to display; equal if not given
    spacing: tuple[float, ...]  # of the first three axes
    directions: np.ndarray | None  # (3, 3): direction of each axis in its column, in RAS+; None if not given
    order: str  # "<" or ">"


@dataclass(frozen=True)
class _Layout:
    """Places of the fields of a header."""

    size: int
    magic: tuple[int, bytes]
    dim: tuple[str, int]
    datatype: int
    pixdim: tuple[str, int]
    offset: tuple[str, int]
    scaling: tuple[str, int]  # slope, intercept, and the highest and the lowest value to display
    codes: tuple[str, int]  # of the two forms of the orientation, qform and sform
    quaternion: tuple[str, int]
    rows: tuple[str, int]


_ONE = _Layout(
    348, (344, b"n+1"), ("8h", 40), 70, ("8f", 76), ("f", 108), ("2f", 112), ("2h", 252), ("3f", 256), ("12f", 280)
)
_TWO = _Layout(
    540, (4, b"n+2"), ("8q", 16), 12, ("8d", 104), ("q", 168), ("2d", 176), ("2i", 344), ("3d", 352), ("12d", 400)
)
_DISPLAYED = {348: ("2f", 124), 540: ("2d", 192)}  # highest, lowest


def open_nifti(path: Path) -> IO[bytes]:
    """Open a NIfTI file to read its bytes."""
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP
    return cast("IO[bytes]", gzip.open(path)) if compressed else path.open("rb")


def read_header(file: IO[bytes]) -> NiftiHeader:
    """Read the header at the beginning of a file.

    Raises:
        InputError: no header, or one of a pair of files; the message completes a sentence that begins with the path.
    """
    head = file.read(_TWO.size)
    for layout in (_ONE, _TWO):
        for order in "<>":
            if len(head) >= layout.size and struct.unpack(f"{order}i", head[:4])[0] == layout.size:
                return _parse(head, layout, order)
    raise InputError("is not a NIfTI file")


def _parse(head: bytes, layout: _Layout, order: str) -> NiftiHeader:
    def read(field: tuple[str, int]) -> tuple:
        return struct.unpack_from(order + field[0], head, field[1])

    place, magic = layout.magic
    if head[place : place + 3] != magic:
        raise InputError("must be a NIfTI file with header and values in one file (.nii or .nii.gz)")
    dim, pixdim = read(layout.dim), read(layout.pixdim)
    if not 1 <= dim[0] <= 7 or any(length < 1 for length in dim[1 : dim[0] + 1]):
        raise InputError("must have axes of at least 1 pixel")
    slope, intercept = read(layout.scaling)
    highest, lowest = read(_DISPLAYED[layout.size])
    qform, sform = read(layout.codes)
    directions = None
    if sform > 0:
        directions = np.array(read(layout.rows)).reshape(3, 4)[:, :3]
    elif qform > 0:
        directions = _rotation(read(layout.quaternion), pixdim)
    return NiftiHeader(
        tuple(dim[1 : dim[0] + 1]),
        read(("h", layout.datatype))[0],
        int(read(layout.offset)[0]),
        (slope, intercept),
        (lowest, highest),
        tuple(pixdim[1:4]),
        directions,
        order,
    )


def _rotation(quaternion: tuple[float, ...], pixdim: tuple[float, ...]) -> np.ndarray:
    """Return the directions of a unit quaternion given by its last three numbers, times the spacing."""
    b, c, d = quaternion
    a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    handedness = -1.0 if pixdim[0] < 0 else 1.0
    return rotation * np.array([pixdim[1], pixdim[2], pixdim[3] * handedness])
