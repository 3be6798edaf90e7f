"""Files that are there whole or not at all, and that are the same bytes whoever writes them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write_bytes(path: Path, data: bytes, scratch: Path | None = None) -> None:
    """Write a file by way of the folder `scratch`, on the same disk; ``None``: of a file beside it, for one writer."""
    partial = path.with_suffix(".tmp") if scratch is None else scratch / f"{os.getpid()}-{path.name}"
    partial.write_bytes(data)
    os.replace(partial, path)


def write_text(path: Path, text: str, scratch: Path | None = None) -> None:
    """Write a text file, UTF-8."""
    write_bytes(path, text.encode(), scratch)


def write_json(path: Path, value: Any, scratch: Path) -> None:
    """Write what JSON can hold, for people to read."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n", scratch)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], scratch: Path) -> None:
    """Write a CSV table row by row; the rows may be a stream."""
    partial = scratch / f"{os.getpid()}-{path.name}"
    with partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
    os.replace(partial, path)
