"""Tables of studies: the frontal image of each study, from Medical-Diff-VQA's table or MIMIC-CXR-JPG's own.

`mimic_all.csv` (beside the questions) names one image per study, its view and its position among the patient's studies;
it decides if the image is frontal. Otherwise MIMIC-CXR-JPG's metadata decides: the first frontal image in the table's
order, which is the rule by which `mimic_all.csv` was made.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from x2x_core.common.errors import InputNotFoundError

from .studies import FRONTAL_VIEWS, SPLIT_NAMES
from .tables import Record, finite_number, read_records, whole_number

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
# If the lines of a study disagree, the most held-out split counts.
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
class StudyTables:
    """Files with information about studies; at least one of `mimic_all` and `metadata` exists."""

    mimic_all: Path | None
    metadata: Path | None
    split: Path | None

    @property
    def present(self) -> list[Path]:
        """The existing files."""
        return [path for path in (self.mimic_all, self.metadata, self.split) if path is not None]


def find_tables(mimic: Path, vqa: Path) -> StudyTables:
    """Find the tables of studies beside the questions and in MIMIC-CXR-JPG's folder.

    Raises:
        InputNotFoundError: there is neither `mimic_all.csv` nor MIMIC's metadata table.
    """
    tables = StudyTables(
        mimic_all=_first(vqa.parent, "mimic_all.csv"),
        metadata=_first(mimic, "mimic-cxr-*-metadata.csv"),
        split=_first(mimic, "mimic-cxr-*-split.csv"),
    )
    if tables.mimic_all is None and tables.metadata is None:
        raise InputNotFoundError(
            f"There is neither `mimic_all.csv` beside `{vqa}` nor `mimic-cxr-2.0.0-metadata.csv.gz` in `{mimic}`: "
            "one of them is needed to find the image of a study. Add one."
        )
    return tables


def _first(folder: Path, pattern: str) -> Path | None:
    files = sorted(folder.glob(pattern)) or sorted(folder.glob(pattern + ".gz"))
    return files[0] if files else None


_Values = tuple[object, ...]


@dataclass(frozen=True)
class _Source:
    """Reading of one table: its columns, the statement that stores a line, and the conversion of its values."""

    columns: Sequence[str]
    optional: Sequence[str]
    statement: str
    convert: Callable[..., _Values | None]


def load_studies(database: sqlite3.Connection, tables: StudyTables) -> Iterator[tuple[str, Record]]:
    """Fill the table of studies; yields the file name and the record of each line that cannot be used."""
    database.execute(STUDY_TABLE)
    for path, source in ((tables.metadata, _METADATA), (tables.split, _SPLIT), (tables.mimic_all, _MIMIC_ALL)):
        if path is not None:
            yield from _load(database, path, source)


def _load(database: sqlite3.Connection, path: Path, source: _Source) -> Iterator[tuple[str, Record]]:
    records = read_records(path, source.columns, source.optional)
    while batch := list(islice(records, _BATCH)):
        values = []
        for record in batch:
            converted = None if record.problem else source.convert(*record.values)
            if converted is None:
                problem = record.problem or f"unusable values {', '.join(record.values)}"
                yield path.name, Record(record.row, problem=problem, line=record.line)
            else:
                values.append(converted)
        database.executemany(source.statement, values)


def _metadata_values(
    dicom_id: str, subject: str, study: str, position: str, meaning: str, date: str, time: str
) -> _Values | None:
    study_id, subject_id = whole_number(study), whole_number(subject)
    if study_id is None or subject_id is None or not _IMAGE_ID.fullmatch(dicom_id):
        return None
    frontal = position.lower() in FRONTAL_VIEWS or meaning.lower() in FRONTAL_VIEWS
    return study_id, subject_id, dicom_id, int(frontal), _moment(date, time)


def _moment(date: str, time: str) -> float | None:
    day, clock = whole_number(date), finite_number(time)
    return None if day is None else day * 1e6 + (clock or 0.0)


def _split_values(study: str, split: str) -> _Values | None:
    study_id, name = whole_number(study), SPLIT_NAMES.get(split.lower())
    return None if study_id is None or name is None else (name, study_id)


def _mimic_all_values(study: str, dicom_id: str, view: str, subject: str, split: str, order: str) -> _Values | None:
    study_id, subject_id = whole_number(study), whole_number(subject)
    if study_id is None or (subject and subject_id is None) or not _IMAGE_ID.fullmatch(dicom_id):
        return None
    frontal = view.lower() in FRONTAL_VIEWS
    return study_id, subject_id, dicom_id, int(frontal), SPLIT_NAMES.get(split.lower()), finite_number(order)


_METADATA = _Source(
    ("dicom_id", "subject_id", "study_id", "ViewPosition"),
    ("ViewCodeSequence_CodeMeaning", "StudyDate", "StudyTime"),
    _FROM_METADATA,
    _metadata_values,
)
_SPLIT = _Source(("study_id", "split"), (), _FROM_SPLIT, _split_values)
_MIMIC_ALL = _Source(
    ("study_id", "dicom_id", "view"), ("subject_id", "split", "study_order"), _FROM_MIMIC_ALL, _mimic_all_values
)
