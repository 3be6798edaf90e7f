"""Which image stands for a study: its frontal view, from Medical-Diff-VQA's table or MIMIC-CXR-JPG's own.

`mimic_all.csv` (beside the questions) names one image a study, its view and its place in the patient's order; it
decides where it names a frontal image. Otherwise MIMIC-CXR-JPG's metadata does: the first frontal image in the table's
order, which is the rule that `mimic_all.csv` was made by.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from x2x_core.common.errors import InputNotFoundError

from .tables import Record, read_records, whole_number

FRONTAL_VIEWS = frozenset({"postero-anterior", "antero-posterior", "pa", "ap"})
SPLIT_NAMES = {
    "train": "train", "training": "train", "val": "val", "validate": "val", "validation": "val", "valid": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_BATCH = 5000
# Image ids become file names, and two of them, joined by "__", become one.
_IMAGE_ID = re.compile(r"(?!\.)[A-Za-z0-9.-]+(_[A-Za-z0-9.-]+)*")

STUDY_TABLE = """
CREATE TABLE studies (
    study_id INTEGER PRIMARY KEY, subject_id INTEGER, dicom_id TEXT NOT NULL, frontal INTEGER NOT NULL,
    split TEXT, study_order REAL, moment REAL
)"""
_FROM_METADATA = """
INSERT INTO studies (study_id, subject_id, dicom_id, frontal, moment) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (study_id) DO UPDATE SET dicom_id = excluded.dicom_id, frontal = 1, moment = excluded.moment
WHERE studies.frontal = 0 AND excluded.frontal = 1"""
# Where a study's lines disagree, the most held-out split counts.
_FROM_SPLIT = """
UPDATE studies SET split = ?1
WHERE study_id = ?2 AND (split IS NULL OR split = 'train' OR split = 'val' AND ?1 = 'test')"""
_FROM_MIMIC_ALL = """
INSERT INTO studies (study_id, subject_id, dicom_id, frontal, split, study_order) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (study_id) DO UPDATE SET
    dicom_id = CASE WHEN excluded.frontal THEN excluded.dicom_id ELSE studies.dicom_id END,
    frontal = max(studies.frontal, excluded.frontal),
    subject_id = coalesce(excluded.subject_id, studies.subject_id),
    split = coalesce(excluded.split, studies.split),
    study_order = excluded.study_order
WHERE studies.study_order IS NULL"""


@dataclass(frozen=True)
class Study:
    """A study and the image that stands for it."""

    study_id: int
    subject_id: int | None  # ``None`` where no table tells it
    dicom_id: str
    frontal: bool  # whether that image is a frontal view
    split: str | None  # MIMIC's own split of the patient
    study_order: float | None  # place among the patient's studies
    moment: float | None  # date and time, YYYYMMDDhhmmss

    def later_than(self, other: Study) -> bool:
        """Whether it was taken after another study; ``False`` where the tables do not tell."""
        for mine, theirs in ((self.study_order, other.study_order), (self.moment, other.moment)):
            if mine is not None and theirs is not None and mine != theirs:
                return mine > theirs
        return False


@dataclass(frozen=True)
class StudyTables:
    """The files that tell of studies; at least one of `mimic_all` and `metadata` is there."""

    mimic_all: Path | None
    metadata: Path | None
    split: Path | None

    @property
    def present(self) -> list[Path]:
        """Those that are there."""
        return [path for path in (self.mimic_all, self.metadata, self.split) if path is not None]


def find_tables(mimic: Path, vqa: Path) -> StudyTables:
    """The tables of studies beside the questions and in MIMIC-CXR-JPG's folder.

    Raises:
        InputNotFoundError: there is neither `mimic_all.csv` nor MIMIC's metadata table.
    """
    tables = StudyTables(
        _first(vqa.parent, "mimic_all.csv"),
        _first(mimic, "mimic-cxr-*-metadata.csv"),
        _first(mimic, "mimic-cxr-*-split.csv"),
    )  # fmt: skip
    if tables.mimic_all is None and tables.metadata is None:
        raise InputNotFoundError(
            f"There is neither `mimic_all.csv` beside `{vqa}` nor `mimic-cxr-2.0.0-metadata.csv.gz` in `{mimic}`: "
            "without one of them no image of a study is known. Put one there."
        )
    return tables


def _first(folder: Path, pattern: str) -> Path | None:
    found = sorted(folder.glob(pattern)) or sorted(folder.glob(pattern + ".gz"))
    return found[0] if found else None


def load_studies(database: sqlite3.Connection, tables: StudyTables) -> Iterator[tuple[str, Record]]:
    """Fill the table of studies; yields the file's name and the record for each line that can't be used."""
    database.execute(STUDY_TABLE)
    if tables.metadata is not None:
        columns, optional = ("dicom_id", "subject_id", "study_id", "ViewPosition"), (
            "ViewCodeSequence_CodeMeaning", "StudyDate", "StudyTime",
        )  # fmt: skip
        yield from _load(database, tables.metadata, columns, optional, _FROM_METADATA, _metadata_values)
    if tables.split is not None:
        yield from _load(database, tables.split, ("study_id", "split"), (), _FROM_SPLIT, _split_values)
    if tables.mimic_all is not None:
        columns, optional = ("study_id", "dicom_id", "view"), ("subject_id", "split", "study_order")
        yield from _load(database, tables.mimic_all, columns, optional, _FROM_MIMIC_ALL, _mimic_all_values)


def _load(database, path: Path, columns, optional, statement: str, convert) -> Iterator[tuple[str, Record]]:
    records = read_records(path, columns, optional)
    while batch := list(islice(records, _BATCH)):
        values = []
        for record in batch:
            converted = None if record.problem else convert(*record.values)
            if converted is None:
                problem = record.problem or f"unusable values {', '.join(record.values)}"
                yield path.name, Record(record.row, problem=problem, line=record.line)
            else:
                values.append(converted)
        database.executemany(statement, values)


def _metadata_values(dicom_id, subject, study, position, meaning, date, time):
    study_id, subject_id = whole_number(study), whole_number(subject)
    if study_id is None or subject_id is None or not _IMAGE_ID.fullmatch(dicom_id):
        return None
    frontal = position.lower() in FRONTAL_VIEWS or meaning.lower() in FRONTAL_VIEWS
    return study_id, subject_id, dicom_id, int(frontal), _moment(date, time)


def _moment(date: str, time: str) -> float | None:
    day, clock = whole_number(date), number(time)
    return None if day is None else day * 1e6 + (clock or 0.0)


def _split_values(study, split):
    study_id, name = whole_number(study), SPLIT_NAMES.get(split.lower())
    return None if study_id is None or name is None else (name, study_id)


def _mimic_all_values(study, dicom_id, view, subject, split, order):
    study_id, subject_id = whole_number(study), whole_number(subject)
    if study_id is None or (subject and subject_id is None) or not _IMAGE_ID.fullmatch(dicom_id):
        return None
    frontal = view.lower() in FRONTAL_VIEWS
    return study_id, subject_id, dicom_id, int(frontal), SPLIT_NAMES.get(split.lower()), number(order)


def number(text: str) -> float | None:
    """A finite number, or ``None``."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def find_study(database: sqlite3.Connection, study_id: int) -> Study | None:
    """A study by its number, or ``None``."""
    columns = "study_id, subject_id, dicom_id, frontal, split, study_order, moment"
    row = database.execute(f"SELECT {columns} FROM studies WHERE study_id = ?", (study_id,)).fetchone()
    return None if row is None else Study(*row[:3], bool(row[3]), *row[4:])


def image_path(mimic: Path, study: Study) -> Path:
    """Where MIMIC-CXR-JPG keeps a study's image: `files/p10/p10000032/s50414267/<dicom_id>.jpg`."""
    patient = f"p{study.subject_id}"
    return mimic / "files" / patient[:3] / patient / f"s{study.study_id}" / f"{study.dicom_id}.jpg"
