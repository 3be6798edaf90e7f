"""Studies and the image that represents each: its frontal view."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

FRONTAL_VIEWS = frozenset({"postero-anterior", "antero-posterior", "pa", "ap"})
#: Names of the splits in the source tables, with the name used here.
SPLIT_NAMES = {
    "train": "train", "training": "train", "val": "val", "validate": "val", "validation": "val", "valid": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Study:
    """A study and the image that represents it."""

    study_id: int
    subject_id: int | None  # ``None`` if no table states it
    dicom_id: str
    frontal: bool  # the image is a frontal view
    split: str | None  # MIMIC's own split of the patient
    study_order: float | None  # position among the patient's studies
    moment: float | None  # date and time, YYYYMMDDhhmmss

    def later_than(self, other: Study) -> bool:
        """Return True if this study was taken after another one; False if the tables do not say."""
        for mine, theirs in ((self.study_order, other.study_order), (self.moment, other.moment)):
            if mine is not None and theirs is not None and mine != theirs:
                return mine > theirs
        return False


def find_study(database: sqlite3.Connection, study_id: int) -> Study | None:
    """Look up a study by its number."""
    columns = "study_id, subject_id, dicom_id, frontal, split, study_order, moment"
    row = database.execute(f"SELECT {columns} FROM studies WHERE study_id = ?", (study_id,)).fetchone()
    if row is None:
        return None
    study, subject, dicom, frontal, split, order, moment = row
    return Study(study, subject, dicom, bool(frontal), split, order, moment)


def image_path(mimic: Path, study: Study) -> Path:
    """Return the path of a study's image in MIMIC-CXR-JPG: `files/p10/p10000032/s50414267/<dicom_id>.jpg`."""
    patient = f"p{study.subject_id}"
    return mimic / "files" / patient[:3] / patient / f"s{study.study_id}" / f"{study.dicom_id}.jpg"
