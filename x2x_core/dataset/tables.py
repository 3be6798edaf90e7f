"""Line-by-line reading of the tables of MIMIC-CXR-JPG and Medical-Diff-VQA.

Each record is one line: none of these tables has line breaks inside a field, so a stray quotation mark affects only its
own line, not the thousands after it. Tables are `.csv` or `.csv.gz`, UTF-8, with or without a byte-order mark.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

from x2x_core.common.errors import InputError, InputNotFoundError

#: Number of characters of a malformed line that are kept for the list of rejections.
KEPT_LETTERS = 2000


@dataclass(frozen=True)
class Record:
    """One line of a table: `values` in the order of the requested columns, or the `problem` with the line."""

    row: int  # line number in the file; the header is line 1
    values: tuple[str, ...] = ()
    problem: str = ""
    line: str = ""  # the text of the line if there is a problem


def read_records(path: str | Path, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Record]:
    """Stream the records of a table; empty lines are skipped.

    Args:
        path: a `.csv` or `.csv.gz` file.
        columns: requested columns, in any order in the file.
        optional: requested columns that the file may lack; their values are then "".

    Raises:
        InputNotFoundError: the file does not exist.
        InputError: it lacks a column, or is damaged and cannot be read to its end.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There is no table `{path}`.")
    with _open(path) as file:
        lines = _numbered(file, path)
        header = _fields(next(lines, (1, ""))[1])
        positions = _positions(path, header, columns, optional)
        for row, line in lines:
            if line.strip():
                yield _record(row, line, len(header), positions)


def _open(path: Path) -> TextIO:
    opener = gzip.open if path.suffix == ".gz" else open
    return cast(TextIO, opener(path, "rt", encoding="utf-8-sig", errors="replace"))


def _numbered(file: TextIO, path: Path) -> Iterator[tuple[int, str]]:
    row = 0
    try:
        for row, line in enumerate(file, start=1):
            yield row, line.rstrip("\n")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"`{path}` must be a complete table, but cannot be read after line {row}: {error}.") from error


def _fields(line: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader((line,), strict=True), [])]
    except csv.Error:
        return []


def _positions(path: Path, header: list[str], columns: Sequence[str], optional: Sequence[str]) -> list[int | None]:
    missing = [name for name in columns if name not in header]
    if missing:
        raise InputError(
            f"`{path}` must be a table with the columns {', '.join(columns)}, but lacks {', '.join(missing)}."
        )
    return [header.index(name) if name in header else None for name in (*columns, *optional)]


def _record(row: int, line: str, width: int, positions: list[int | None]) -> Record:
    try:
        fields = next(csv.reader((line,), strict=True))
    except csv.Error as error:
        return Record(row, problem=f"not a line of a table: {error}", line=line[:KEPT_LETTERS])
    if len(fields) != width:
        return Record(row, problem=f"{len(fields)} fields instead of {width}", line=line[:KEPT_LETTERS])
    return Record(row, tuple("" if position is None else fields[position].strip() for position in positions))


def whole_number(text: str) -> int | None:
    """Read an identifier such as "50414267", also as "50414267.0" (tables converted from floats), else ``None``."""
    head, _, tail = text.partition(".")
    return int(head) if head.isascii() and head.isdigit() and not tail.strip("0") and len(head) < 16 else None


def finite_number(text: str) -> float | None:
    """Read a finite number, else ``None``."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
