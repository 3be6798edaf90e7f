"""Rows of Medical-Diff-VQA in a database on disk, indexed by pair, so memory does not grow with their number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .studies import SPLIT_NAMES
from .tables import Record, read_records, whole_number

COLUMNS = ("study_id", "subject_id", "ref_id", "question_type", "question", "answer", "split")
DIFFERENCE = "difference"
# Splits from training to most held out. A patient with rows in several splits goes to the most held-out one, so nothing
# that is held out anywhere is trained on.
HELD_OUT = ("train", "val", "test")
_BATCH = 5000

QUESTION_TABLES = """
CREATE TABLE questions (
    row INTEGER PRIMARY KEY, study_id INTEGER NOT NULL, subject_id INTEGER NOT NULL, ref_id INTEGER NOT NULL,
    question_type TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL, split TEXT NOT NULL
)"""
_HELD = "CASE {} WHEN 'test' THEN 2 WHEN 'val' THEN 1 ELSE 0 END"  # index in `HELD_OUT`
# Pairs are numbered from 1 in the order of their first difference row. A patient whose rows name no split has MIMIC's.
_PAIRS = f"""
CREATE TABLE pairs (pair INTEGER PRIMARY KEY, study_id INTEGER NOT NULL, ref_id INTEGER NOT NULL);
CREATE INDEX questions_by_pair ON questions (study_id, ref_id);
INSERT INTO pairs (study_id, ref_id) SELECT study_id, ref_id FROM questions WHERE question_type = '{DIFFERENCE}'
    GROUP BY study_id, ref_id ORDER BY min(row);
CREATE TABLE patients (subject_id INTEGER PRIMARY KEY, least INTEGER NOT NULL, most INTEGER NOT NULL);
INSERT INTO patients SELECT subject_id, min(held), max(held) FROM (
    SELECT subject_id, {_HELD.format("split")} AS held FROM questions WHERE split != ''
) GROUP BY subject_id;
INSERT OR IGNORE INTO patients SELECT patient, min(held), max(held) FROM (
    SELECT patient, {_HELD.format("split")} AS held FROM (
        SELECT subject_id AS patient, study_id AS study FROM questions
        UNION SELECT subject_id, ref_id FROM questions
        UNION SELECT subject_id, study_id FROM studies WHERE subject_id IS NOT NULL
    ) JOIN studies ON study_id = study WHERE split IS NOT NULL
) GROUP BY patient;
"""


@dataclass(frozen=True)
class Question:
    """One row: `row` is its line in the file; `split` is "train", "val", "test", or "" if the row names none."""

    row: int
    study_id: int
    subject_id: int
    ref_id: int
    question_type: str
    question: str
    answer: str
    split: str


def load_questions(database: sqlite3.Connection, vqa: Path) -> Iterator[tuple[str, Record]]:
    """Fill the tables of questions, pairs and patients; the table of studies must exist.

    Yields:
        File name and record of each malformed line.
    """
    database.execute(QUESTION_TABLES)
    records = read_records(vqa, COLUMNS[:-1], COLUMNS[-1:])
    while batch := list(islice(records, _BATCH)):
        values = []
        for record in batch:
            converted = None if record.problem else _values(record)
            if converted is None:
                problem = record.problem or _problem(record)
                yield vqa.name, Record(record.row, record.values, problem, record.line)
            else:
                values.append(converted)
        database.executemany("INSERT INTO questions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    database.executescript(_PAIRS)


def _values(record: Record) -> tuple[object, ...] | None:
    study, subject, ref, kind, question, answer, split = record.values
    numbers = [whole_number(text) for text in (study, subject, ref)]
    if None in numbers or not kind:
        return None
    return record.row, *numbers, kind.lower(), question, answer, SPLIT_NAMES.get(split.lower(), "")


def _problem(record: Record) -> str:
    problems = [
        f"{name} is {text!r}, not a number"
        for name, text in zip(("study_id", "subject_id", "ref_id"), record.values)
        if whole_number(text) is None
    ]
    return "; ".join(problems or ["question_type is empty"])


def count_pairs(database: sqlite3.Connection) -> int:
    """Count the pairs of studies with a difference row."""
    return database.execute("SELECT count(*) FROM pairs").fetchone()[0]


def count_types(database: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of each question type."""
    query = "SELECT question_type, count(*) FROM questions GROUP BY question_type ORDER BY question_type"
    return dict(database.execute(query).fetchall())


def read_pairs(database: sqlite3.Connection, first: int, last: int) -> list[tuple[int, int, int]]:
    """Return number, main study and reference study of the pairs `first` to `last`, both included."""
    return database.execute(
        "SELECT pair, study_id, ref_id FROM pairs WHERE pair BETWEEN ? AND ?", (first, last)
    ).fetchall()


def questions_of_pair(database: sqlite3.Connection, study_id: int, ref_id: int) -> list[Question]:
    """Return all rows of a pair, in the order of the file."""
    query = "SELECT * FROM questions WHERE study_id = ? AND ref_id = ? ORDER BY row"
    return [Question(*row) for row in database.execute(query, (study_id, ref_id))]


def questions_of_study(database: sqlite3.Connection, study_id: int) -> list[Question]:
    """Return all rows with this main study, whatever the reference, in the order of the file."""
    query = "SELECT * FROM questions WHERE study_id = ? ORDER BY row"
    return [Question(*row) for row in database.execute(query, (study_id,))]


def split_of_patient(database: sqlite3.Connection, subject_id: int) -> str | None:
    """Return the patient's split, or ``None`` if it is not known.

    The split is the most held-out one named in the patient's rows, or else in MIMIC's tables for the patient's studies.
    """
    row = database.execute("SELECT most FROM patients WHERE subject_id = ?", (subject_id,)).fetchone()
    return None if row is None else HELD_OUT[row[0]]


def patients_in_conflict(database: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Yield the patients for whom several splits are named, with the split that they were assigned to."""
    for subject_id, most in database.execute("SELECT subject_id, most FROM patients WHERE least != most ORDER BY 1"):
        yield subject_id, HELD_OUT[most]
