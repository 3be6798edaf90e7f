"""Look-up tables of DICOM files (PS3.3, C.11.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from x2x_core.common.errors import InputError

DEEPEST = 16  # largest number of bits of a stored value or a table entry


@dataclass(frozen=True)
class Table:
    """A look-up table."""

    entries: np.ndarray  # (N,) integers
    first: int  # value that is mapped to the first entry
    bits: int  # of the entries: as declared, or more if the entries have more

    @property
    def greatest(self) -> int:
        """The greatest entry."""
        return int(self.entries.max())

    @property
    def white(self) -> int:
        """The entry to show as white: of a table that uses fewer bits than it declares, its greatest entry.

        Old computed radiography declares 16 bits for entries of 10 or 12; viewers scale such tables to be visible.
        """
        return self.greatest if 0 < self.greatest < 2 ** (self.bits - 1) else 2**self.bits - 1


def look_up(values: np.ndarray, item: Any, dataset: Any) -> tuple[np.ndarray, Table]:
    """Map values through a table; values below or above it take its first or last entry.

    Args:
        values: integers, or rescaled values, which are rounded.
        item: the table: LUTDescriptor (entries, first value mapped, bits) and LUTData.
        dataset: the image, for its byte order.

    Returns:
        The entries, float64, and the table.

    Raises:
        InputError: a table without a descriptor or with too few entries.
    """
    table = read_table(item, dataset, below_zero=values.min() < 0)
    index = np.clip(np.rint(values).astype(np.int64) - table.first, 0, len(table.entries) - 1)
    return table.entries[index].astype(np.float64), table


def read_table(item: Any, dataset: Any, below_zero: bool) -> Table:
    """Read a table; the arguments are those of `look_up`, and whether any value to map is negative.

    Raises:
        InputError: a table without a descriptor or with too few entries.
    """
    descriptor, element = item.get("LUTDescriptor"), _element(item, "LUTData")
    if descriptor is None or len(descriptor) != 3 or element is None or not element.value:
        raise InputError("its table must have LUTDescriptor and LUTData")
    entries, first, bits = (int(number) for number in descriptor)
    entries = entries or 2**16
    if first >= 2**15 and below_zero:
        first -= 2**16  # a signed number in an unsigned field
    table = _entries(element.value, entries, dataset)
    if len(table) < entries or not 1 <= bits <= DEEPEST:
        raise InputError(f"its table must hold {entries} entries of 1 to {DEEPEST} bits, got {len(table)} of {bits}")
    bits = max(bits, int(table.max()).bit_length())  # some files declare 16-bit entries as 8-bit
    return Table(table, first, bits)


def _element(item: Any, name: str) -> Any:
    """Return a data element with its value representation, `None` if it is absent."""
    return item[name] if name in item else None  # noqa: SIM401  (a data set's get() returns the bare value)


def _entries(data: Any, count: int, dataset: Any) -> np.ndarray:
    """Return the entries of a table: 16-bit words, or bytes packed in pairs."""
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data, np.int64))[:count]
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2" if dataset.original_encoding[1] else ">u2")
    return words[:count] if len(words) >= count else words.astype("<u2").view(np.uint8)[:count]
