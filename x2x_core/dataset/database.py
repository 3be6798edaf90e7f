"""Source tables of a build in one SQLite file, which is created once and read by every process."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from .questions import load_questions
from .rejections import Reason
from .study_tables import StudyTables, load_studies
from .tables import Record

#: Columns of `rejected.csv`: one row for each row of any table that could not be used.
REJECTED_COLUMNS = (
    "table", "row", "reason", "detail", "study_id", "ref_id", "subject_id", "question_type", "question", "answer",
    "line",
)  # fmt: skip
REJECTED_TABLE = f"CREATE TABLE rejected ({', '.join(f'[{name}]' for name in REJECTED_COLUMNS)})"
INSERT_REJECTED = f"INSERT INTO rejected VALUES ({', '.join('?' * len(REJECTED_COLUMNS))})"


def make_database(path: Path, vqa: Path, tables: StudyTables, progress: Callable[[str], None] | None = None) -> None:
    """Read all tables into a database; the file appears only when it is complete. An existing file is kept.

    Args:
        path: the database file.
        vqa: Medical-Diff-VQA's table of questions.
        tables: the tables of studies.
        progress: called with the name of the stage.
    """
    if path.is_file():
        return
    partial = path.with_suffix(".partial")
    for leftover in path.parent.glob(partial.name + "*"):  # with its journal
        leftover.unlink()
    database = sqlite3.connect(partial)
    try:
        # An unfinished file is never read, so it needs no protection against interruption.
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + REJECTED_TABLE)
        for stage, malformed in (
            ("studies", load_studies(database, tables)),
            ("questions", load_questions(database, vqa)),
        ):
            if progress:
                progress(stage)
            for name, record in malformed:
                database.execute(INSERT_REJECTED, _rejected_row(name, record))
        database.commit()
    finally:
        database.close()
    os.replace(partial, path)


def _rejected_row(name: str, record: Record) -> tuple[object, ...]:
    """Return the values of `REJECTED_COLUMNS` for a malformed line of the table `name`."""
    fields: dict[str, object] = dict.fromkeys(REJECTED_COLUMNS, "")
    fields |= {"table": name, "row": record.row, "reason": Reason.MALFORMED_ROW.value, "detail": record.problem}
    if len(record.values) >= 6:
        known = ("study_id", "subject_id", "ref_id", "question_type", "question", "answer")
        fields |= dict(zip(known, record.values))
    fields["line"] = record.line
    return tuple(fields.values())


def open_database(path: Path) -> sqlite3.Connection:
    """Open a complete database for reading."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
