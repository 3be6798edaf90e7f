"""The cases that the filter of MedGround-Bench keeps, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from x2x_core.common.storage import write_table

from .measures import by_case, is_kept

KEPT = "kept.csv"
COLUMNS = ("answerer", "case", "image", "finding", "side", "question")


def write_kept(out: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the cases that each model passes, and return the file."""
    kept = []
    for name in dict.fromkeys(row["answerer"] for row in rows):
        cases = by_case([row for row in rows if row["answerer"] == name])
        kept += [case[0] for case in cases if is_kept(case)]
    lines = (["" if row[column] is None else row[column] for column in COLUMNS] for row in kept)
    write_table(out / KEPT, COLUMNS, lines, out)
    return out / KEPT
