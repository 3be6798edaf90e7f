"""Fingerprints of pictures: a digest of the pixels that survives lossless re-encoding, and masks as short text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from x2x_core.common.errors import InputError

from .pixel_shape import LARGEST

_PACKED = re.compile(r"(\d{1,9})x(\d{1,9}):([A-Za-z0-9+/=]*)")


def pixel_digest(values: np.ndarray) -> str:
    """Return the SHA-256 of a picture's shape and integers, 64 hexadecimal digits.

    It depends on the decoded values alone: not on the format, compression or metadata of a file.

    Args:
        values: `(H, W)` or `(H, W, C)` integers of up to 32 bits.
    """
    digest = hashlib.sha256(("x".join(map(str, values.shape)) + "\n").encode())
    digest.update(np.ascontiguousarray(values, "<i4").tobytes())
    return digest.hexdigest()


def record_digest(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record as JSON with sorted keys, 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(record, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def pack_mask(mask: np.ndarray) -> str:
    """Encode a `(H, W)` bool mask as text: height, width, and its bits, compressed, in base 64.

    Each row is stored as its difference to the row above, which keeps text of smooth regions short.
    """
    rows = np.asarray(mask, bool)
    steps = np.concatenate([rows[:1], rows[1:] ^ rows[:-1]])
    packed = base64.b64encode(zlib.compress(np.packbits(steps).tobytes(), 9)).decode()
    return f"{rows.shape[0]}x{rows.shape[1]}:{packed}"


def unpack_mask(text: str) -> np.ndarray:
    """Decode the text of `pack_mask` to `(H, W)` bool.

    Raises:
        InputError: not such a text.
    """
    match = _PACKED.fullmatch(text)
    height, width = (int(match[1]), int(match[2])) if match else (0, 0)
    if match is None or not 0 < height * width <= LARGEST:
        raise InputError("The record's guidance mask must be a packed mask, but is not: the record was altered.")
    size = -(-height * width // 8)
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(match[3], validate=True), size)
    except (binascii.Error, zlib.error) as error:
        raise InputError("The record's guidance mask cannot be unpacked: the record was altered.") from error
    if len(data) != size:
        raise InputError("The record's guidance mask does not fill its size: the record was altered.")
    steps = np.unpackbits(np.frombuffer(data, np.uint8), count=height * width).reshape(height, width)
    return np.bitwise_xor.accumulate(steps, axis=0).astype(bool)
