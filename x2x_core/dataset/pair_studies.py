"""The two studies of a pair and its split, from the source tables."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from .layout import current_name, past_name
from .questions import split_of_patient
from .rejections import Reason, RowRejectedError
from .studies import Study, find_study


@dataclass(frozen=True)
class PairStudies:
    """The reference (past) and the main (current) study of one patient."""

    past: Study
    current: Study
    patient: int
    split: str

    def record(self) -> dict[str, Any]:
        """Return the ids of patient, studies, images and files, for `pairs.csv`."""
        return {
            "past_dicom_id": past_name(self.past.dicom_id, self.current.dicom_id),
            "current_dicom_id": current_name(self.current.dicom_id),
            "subject_id": self.patient,
            "ref_id": self.past.study_id,
            "study_id": self.current.study_id,
            "past_image": self.past.dicom_id,
            "current_image": self.current.dicom_id,
        }


def find_pair(database: sqlite3.Connection, study_id: int, ref_id: int, patient: int) -> PairStudies:
    """Look up both studies of a pair.

    Args:
        database: the source tables.
        study_id: the main study.
        ref_id: the reference study.
        patient: the patient named in the row, for studies whose tables name none.

    Raises:
        RowRejectedError: the studies are not a usable pair.
    """
    if study_id == ref_id:
        raise RowRejectedError(Reason.SAME_STUDY)
    past, current = (_find(database, number, patient) for number in (ref_id, study_id))
    if past.subject_id != current.subject_id:
        raise RowRejectedError(
            Reason.PATIENT_MISMATCH,
            f"study {ref_id} is of patient {past.subject_id}, study {study_id} of {current.subject_id}",
        )
    if past.later_than(current):
        raise RowRejectedError(Reason.WRONG_ORDER)
    for study in (past, current):
        if not study.frontal:
            raise RowRejectedError(Reason.NO_FRONTAL_VIEW, f"study {study.study_id}")
    patient = current.subject_id or patient
    split = split_of_patient(database, patient)
    if split is None:
        raise RowRejectedError(Reason.UNKNOWN_SPLIT)
    return PairStudies(past, current, patient, split)


def _find(database: sqlite3.Connection, number: int, patient: int) -> Study:
    study = find_study(database, number)
    if study is None:
        raise RowRejectedError(Reason.UNKNOWN_STUDY, f"study {number}")
    return replace(study, subject_id=study.subject_id or patient)
