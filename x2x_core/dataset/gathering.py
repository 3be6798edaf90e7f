"""Gather the lines of all portions into the dataset's tables, its report and its card."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from x2x_core.common.storage import write_json, write_table, write_text
from x2x_core.language.clauses import Clause
from x2x_core.pairs.layout import COLUMNS

from .card import dataset_card
from .database import INSERT_REJECTED, REJECTED_COLUMNS, REJECTED_TABLE, open_database
from .figures import BuildFigures
from .layout import (
    CARD,
    INSTRUCTIONS,
    PAIR_COLUMNS,
    PAIRS,
    REJECTED,
    REPORT_HTML,
    REPORT_JSON,
    SCRATCH,
    WORK,
    part_file,
)
from .report import report_html
from .settings import BuildSettings


def gather(out: Path, settings: BuildSettings, database: Path, identity: dict[str, Any]) -> None:
    """Write `instructions.csv`, `pairs.csv`, `rejected.csv`, the report and the card from the portions on disk."""
    scratch = out / WORK / SCRATCH
    tables = open_database(database)
    figures = BuildFigures(tables)
    rejections = _collect_rejections(tables, out / WORK / "rejected.sqlite", out)
    write_table(out / INSTRUCTIONS, COLUMNS, _instruction_rows(out, figures), scratch)
    write_table(out / PAIRS, PAIR_COLUMNS, _pair_rows(out), scratch)
    write_table(out / REJECTED, REJECTED_COLUMNS, _rejected_rows(rejections, figures), scratch)
    rejections.close()
    tables.close()
    report = {"build": identity, **figures.as_dict()}
    write_json(out / REPORT_JSON, report, scratch)
    write_text(out / REPORT_HTML, report_html(report, out, figures.examples), scratch)
    write_text(out / CARD, dataset_card(report), scratch)


def _lines(out: Path) -> Iterator[dict[str, Any]]:
    """What came of each pair, in order."""
    for portion in count():
        path = part_file(out, portion)
        if not path.is_file():
            return
        yield from json.loads(path.read_text(encoding="utf-8"))


def _instruction_rows(out: Path, figures: BuildFigures) -> Iterator[tuple]:
    for line in _lines(out):
        figures.add_pair(line["kept"])
        for kept in line["kept"]:
            clauses = [Clause(**clause) for clause in kept["clauses"]]
            figures.add_instruction(kept, clauses)
            yield tuple(kept[name] for name in COLUMNS)


def _pair_rows(out: Path) -> Iterator[tuple]:
    for line in _lines(out):
        for kept in line["kept"]:
            yield tuple(kept[{"vqa_row": "row"}.get(name, name)] for name in PAIR_COLUMNS)


def _collect_rejections(tables: sqlite3.Connection, path: Path, out: Path) -> sqlite3.Connection:
    """All rejected rows in one database on disk, to be read in the tables' order."""
    path.unlink(missing_ok=True)
    rejections = sqlite3.connect(path)
    rejections.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + REJECTED_TABLE)
    rejections.executemany(INSERT_REJECTED, tables.execute("SELECT * FROM rejected"))
    for line in _lines(out):
        values = ({"table": "questions", "line": "", **row} for row in line["rejected"])
        rejections.executemany(INSERT_REJECTED, [[row[name] for name in REJECTED_COLUMNS] for row in values])
    rejections.commit()
    return rejections


def _rejected_rows(rejections: sqlite3.Connection, figures: BuildFigures) -> Iterator[tuple]:
    for row in rejections.execute("SELECT * FROM rejected ORDER BY [table] != 'questions', [table], row, reason"):
        figures.add_rejection(dict(zip(REJECTED_COLUMNS, row)))
        yield row
