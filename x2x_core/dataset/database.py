"""The tables of a build in one SQLite file: made once, then read by every process."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from .questions import load_questions
from .rejections import Reason
from .studies import StudyTables, load_studies

# One row for each row of any table that could not be used; the columns of `rejected.csv`.
REJECTED_COLUMNS = (
    "table", "row", "reason", "detail", "study_id", "ref_id", "subject_id", "question_type", "question", "answer",
    "line",
)  # fmt: skip
REJECTED_TABLE = f"CREATE TABLE rejected ({', '.join(f'[{name}]' for name in REJECTED_COLUMNS)})"
INSERT_REJECTED = f"INSERT INTO rejected VALUES ({', '.join('?' * len(REJECTED_COLUMNS))})"


def make_database(path: Path, vqa: Path, tables: StudyTables, progress: Callable[[str], None] | None = None) -> None:
    """Read all tables into a database at `path`, which is there whole or not at all.

    Args:
        path: where to.
        vqa: the questions.
        tables: the tables of studies.
        progress: called with what is being read.
    """
    if path.is_file():
        return
    partial = path.with_suffix(".partial")
    for leftover in path.parent.glob(partial.name + "*"):  # with its journal
        leftover.unlink()
    database = sqlite3.connect(partial)
    try:
        # Nobody reads a half-made file, so it needs no care against being cut off.
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + REJECTED_TABLE)
        for load, source in ((load_studies, tables), (load_questions, vqa)):
            if progress:
                progress("studies" if load is load_studies else "questions")
            for name, record in load(database, source):
                database.execute(INSERT_REJECTED, _malformed(name, record))
        database.commit()
    finally:
        database.close()
    os.replace(partial, path)


def _malformed(name: str, record) -> tuple:
    fields = dict.fromkeys(REJECTED_COLUMNS, "")
    fields |= {"table": name, "row": record.row, "reason": Reason.MALFORMED_ROW.value, "detail": record.problem}
    if len(record.values) >= 6:
        known = ("study_id", "subject_id", "ref_id", "question_type", "question", "answer")
        fields |= dict(zip(known, record.values))
    fields["line"] = record.line
    return tuple(fields.values())


def open_database(path: Path) -> sqlite3.Connection:
    """Open a finished database for reading."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
