"""Atomic writes: files appear complete or not at all, with the same bytes on every platform. Reading of packed text."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write_bytes(path: Path, data: bytes, scratch: Path | None = None) -> None:
    """Write a file atomically.

    Args:
        path: of the file.
        data: its content.
        scratch: folder on the same disk for the partial file; `None` writes it beside `path`, for a single writer.
    """
    partial = path.with_suffix(".tmp") if scratch is None else scratch / f"{os.getpid()}-{path.name}"
    partial.write_bytes(data)
    os.replace(partial, path)


def write_text(path: Path, text: str, scratch: Path | None = None) -> None:
    """Write a UTF-8 text file atomically."""
    write_bytes(path, text.encode(), scratch)


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, compressed by gzip if its suffix is ".gz".

    Raises:
        OSError: the file cannot be read, or is not what its suffix says.
    """
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")


def write_json(path: Path, value: Any, scratch: Path) -> None:
    """Write a JSON-serialisable value, indented, atomically."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n", scratch)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], scratch: Path) -> None:
    """Write a CSV table atomically, row by row; `rows` may be a generator."""
    partial = scratch / f"{os.getpid()}-{path.name}"
    with partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
    os.replace(partial, path)
