"""Stored values of a DICOM image: the bits that hold them, and the pixels that are padding.

The containers and their bits are described in PS3.5, 8.1.1; padding in PS3.3, C.7.5.1.1.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .dicom_numbers import number


def stored_values(raw: np.ndarray, bits_stored: int, high_bit: int, signed: bool) -> np.ndarray:
    """Extract the image's values from their containers, ignoring unused bits (overlays in old files).

    Args:
        raw: `(H, W)`, integers as stored in the file.
        bits_stored: bits per value, 1 to 16.
        high_bit: index of the highest of them, counted from 0.
        signed: True if the highest bit is a sign.

    Returns:
        `(H, W)` int32.
    """
    shift = max(high_bit + 1 - bits_stored, 0)
    values = (raw.astype(np.int32) >> shift) & (2**bits_stored - 1)
    return np.where(values >= 2 ** (bits_stored - 1), values - 2**bits_stored, values) if signed else values


def extract(raw: np.ndarray, dataset: Any) -> tuple[np.ndarray, list[str]]:
    """Extract the values of a grey image from its containers, by the file's HighBit where that is possible.

    Args:
        raw: `(H, W)` integers with all bits of their containers.
        dataset: the image's pydicom data set.

    Returns:
        `(H, W)` int32, and warnings about bits that contradict the file's description.
    """
    bits, signed = int(dataset.BitsStored), raw.dtype.kind == "i"
    high_bit, doubts = _high_bit(raw, dataset, bits, signed)
    return stored_values(raw, bits, high_bit, signed), doubts


def _high_bit(raw: np.ndarray, dataset: Any, bits: int, signed: bool) -> tuple[int, list[str]]:
    """Return the index of the values' highest bit, and a warning if it is not the file's."""
    lowest, allocated = bits - 1, int(dataset.BitsAllocated)
    declared = number(dataset, "HighBit", lowest)
    if declared == lowest:
        return lowest, []
    doubt = f"Its HighBit does not fit its pixels of {bits} bits in {allocated}: the lowest {bits} bits were read."
    if not math.isfinite(declared) or not lowest < declared < allocated:
        return lowest, [doubt]
    high_bit = int(declared)
    below = raw.astype(np.int32) & (2 ** (high_bit - lowest) - 1)
    is_right_aligned = below.any() and np.array_equal(stored_values(raw, bits, lowest, signed), raw.astype(np.int32))
    return (lowest, [doubt]) if is_right_aligned else (high_bit, [])


def padding_of(stored: np.ndarray, dataset: Any) -> np.ndarray:
    """Return bool `(H, W)`, True for padding: pixels between PixelPaddingValue and PixelPaddingRangeLimit.

    Values in the wrong representation are converted: 32768 is -32768 among signed pixels of 16 bits.
    """
    value = number(dataset, "PixelPaddingValue", math.nan)
    limit = number(dataset, "PixelPaddingRangeLimit", value)
    if not math.isfinite(value) or not math.isfinite(limit):
        return np.zeros(stored.shape, bool)
    low, high = sorted((_as_stored(value, dataset), _as_stored(limit, dataset)))
    return (stored >= low) & (stored <= high)


def _as_stored(value: float, dataset: Any) -> float:
    """Return a padding value in the representation of the pixels; one that no pixel can have stays as it is."""
    bits, allocated = int(dataset.BitsStored), int(dataset.BitsAllocated)
    signed = number(dataset, "PixelRepresentation", 0) == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    for width in (allocated, bits) if signed else (allocated,):
        if low <= value <= high:
            break
        turned = value - 2**width if value > 0 else value + 2**width
        value = turned if low <= turned <= high else value
    return value
