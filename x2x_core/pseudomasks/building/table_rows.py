"""Rows of CSV tables, with errors that name the row and the column."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError

from .boxes import Box

Columns = tuple[str, str, str, str]


def read_rows(path: Path) -> list[list[str]]:
    """Read the rows of a CSV table (plain, gzipped, or the only one in a zip archive), its header first.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it cannot be read, or is empty.
    """
    if not path.is_file():
        raise InputNotFoundError(f"There is no box table at `{path}`. Give a CSV file (plain, .gz or .zip).")
    try:
        text = _read_bytes(path).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise InputError(f"`{path}` must be a CSV table (plain, .gz or .zip), but cannot be read: {error}.") from error
    rows = list(csv.reader(io.StringIO(text)))
    if not rows:
        raise InputError(f"`{path}` must be a table of boxes with a header, but it is empty.")
    return rows


def _read_bytes(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".csv") and not name.startswith("__MACOSX")]
        if len(names) != 1:
            raise InputError(f"`{path}` must hold one CSV file, got {len(names)}: unzip it and name the table.")
        return archive.read(names[0])


class Row:
    """One row of a table, which names itself in errors.

    Args:
        path: the table.
        number: line number of the row.
        header: names of the columns.
        values: entries of the row.
    """

    def __init__(self, path: Path, number: int, header: Sequence[str], values: Sequence[str]) -> None:
        self.place = f"`{path}`, row {number}"
        self.header = header
        self._values = values

    def text(self, column: str) -> str:
        """Return an entry that must not be empty."""
        index = self.header.index(column)
        value = self._values[index].strip() if index < len(self._values) else ""
        if not value:
            raise InputError(f"{self.place}: column `{column}` must have a value, but it is empty.")
        return value

    def number(self, column: str) -> float:
        """Return an entry that must be a finite number."""
        value = self.text(column)
        try:
            number = float(value)
        except ValueError:
            raise InputError(f"{self.place}: column `{column}` must be a number, got {value!r}.") from None
        if not math.isfinite(number):
            raise InputError(f"{self.place}: column `{column}` must be a finite number, got {value!r}.")
        return number

    def size(self, columns: tuple[str, str]) -> tuple[float, float]:
        """Return the width and height in two columns."""
        width, height = columns
        return self.number(width), self.number(height)

    def box(self, category: str, columns: Columns, size: tuple[float, float], image: str, patient: str) -> Box:
        """Return the box whose left, top, width and height stand in four columns."""
        left, top, width, height = (self.number(column) for column in columns)
        try:
            return Box.from_pixels(category, (left, top, width, height), size, image, patient)
        except InputError as error:
            named = ", ".join(f"`{column}`" for column in columns)
            raise InputError(f"{self.place}: columns {named} are not a box in the image: {error}") from error


def is_blank(values: Sequence[str]) -> bool:
    """Return True for a row without entries."""
    return not any(value.strip() for value in values)
