"""Gathering of all portions' results into the tables, the report and the card of the dataset."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from x2x_core.common.storage import write_json, write_table, write_text
from x2x_core.language.clauses import Clause
from x2x_core.pairs.layout import COLUMNS, INSTRUCTIONS

from .card import dataset_card
from .counts import BuildCounts
from .database import INSERT_REJECTED, REJECTED_COLUMNS, REJECTED_TABLE, open_database
from .layout import (
    CARD,
    PAIR_COLUMNS,
    PAIRS,
    REJECTED,
    REPORT_HTML,
    REPORT_JSON,
    WORK,
    database_file,
    part_file,
    scratch_folder,
)
from .report import report_html


def gather(out: Path, identity: dict[str, Any]) -> None:
    """Write `instructions.csv`, `pairs.csv`, `rejected.csv`, the report and the card from the portions on disk.

    Args:
        out: the dataset; the database of source tables is complete.
        identity: the record of the build.
    """
    scratch = scratch_folder(out)
    tables = open_database(database_file(out))
    counts = BuildCounts(tables)
    rejections = _collect_rejections(tables, out / WORK / "rejected.sqlite", out)
    write_table(out / INSTRUCTIONS, COLUMNS, _instruction_rows(out, counts), scratch)
    write_table(out / PAIRS, PAIR_COLUMNS, _pair_rows(out), scratch)
    write_table(out / REJECTED, REJECTED_COLUMNS, _rejected_rows(rejections, counts), scratch)
    rejections.close()
    tables.close()
    report = {"build": identity, **counts.as_dict()}
    write_json(out / REPORT_JSON, report, scratch)
    write_text(out / REPORT_HTML, report_html(report, out, counts.examples), scratch)
    write_text(out / CARD, dataset_card(report), scratch)


def _lines(out: Path) -> Iterator[dict[str, Any]]:
    """Yield the result of each pair, in order."""
    for portion in itertools.count():
        path = part_file(out, portion)
        if not path.is_file():
            return
        yield from json.loads(path.read_text(encoding="utf-8"))


def _instruction_rows(out: Path, counts: BuildCounts) -> Iterator[tuple[Any, ...]]:
    for line in _lines(out):
        counts.add_pair(line["kept"])
        for kept in line["kept"]:
            clauses = [Clause(**clause) for clause in kept["clauses"]]
            counts.add_instruction(kept, clauses)
            yield tuple(kept[name] for name in COLUMNS)


def _pair_rows(out: Path) -> Iterator[tuple[Any, ...]]:
    for line in _lines(out):
        for kept in line["kept"]:
            yield tuple(kept[{"vqa_row": "row"}.get(name, name)] for name in PAIR_COLUMNS)


def _collect_rejections(tables: sqlite3.Connection, path: Path, out: Path) -> sqlite3.Connection:
    """Collect all rejected rows in one database on disk, to be read in the order of the tables."""
    path.unlink(missing_ok=True)
    rejections = sqlite3.connect(path)
    rejections.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + REJECTED_TABLE)
    rejections.executemany(INSERT_REJECTED, tables.execute("SELECT * FROM rejected"))
    for line in _lines(out):
        values = ({"table": "questions", "line": "", **row} for row in line["rejected"])
        rejections.executemany(INSERT_REJECTED, [[row[name] for name in REJECTED_COLUMNS] for row in values])
    rejections.commit()
    return rejections


def _rejected_rows(rejections: sqlite3.Connection, counts: BuildCounts) -> Iterator[tuple[Any, ...]]:
    for row in rejections.execute("SELECT * FROM rejected ORDER BY [table] != 'questions', [table], row, reason"):
        counts.add_rejection(dict(zip(REJECTED_COLUMNS, row)))
        yield row
