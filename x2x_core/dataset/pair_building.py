"""One pair of studies: its rows become instructions, its images a registered pair of files."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from x2x_core.common.storage import write_bytes
from x2x_core.imaging.files import encode_png

from .layout import CURRENT, PAST, VALID, current_name, past_name
from .pictures import Square, halve, read_square
from .questions import DIFFERENCE, Question, questions_of_pair, questions_of_study, split_of_patient
from .registration import Registration, measure, move, register
from .rejections import Reason, Rejected
from .settings import BuildSettings
from .studies import Study, find_study, image_path
from .wording import instruct

#: Text in every picture: it shows a real patient.
NOTICE = {
    "Comment": "Derived from MIMIC-CXR-JPG: credentialed health data, not to be shared.",
    "Software": "InstructX2X",
}
_OVERSAMPLED = 2  # images are read and moved at twice the size, so that moving does not blur them


@dataclass(frozen=True)
class Places:
    """Where a build reads and writes."""

    mimic: Path
    out: Path
    scratch: Path
    database: sqlite3.Connection


@dataclass
class PairResult:
    """What came of one pair: lines of `pairs.csv` with their instruction, and rejected rows."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, row: Question, reason: Rejected) -> None:
        """Note that a row can't be used."""
        self.rejected.append({**vars(row), "reason": reason.reason.value, "detail": reason.detail})


def build_pair(study_id: int, ref_id: int, settings: BuildSettings, places: Places) -> PairResult:
    """Make the instructions and images of one pair, and write the images.

    What is wrong with the tables or the images is told in the result, never raised.
    """
    result = PairResult()
    of_pair = questions_of_pair(places.database, study_id, ref_id)
    rows = [row for row in of_pair if row.question_type == DIFFERENCE]
    try:
        past, current, split = _studies(study_id, ref_id, rows[0].subject_id, places.database)
        instructions = _instructions(rows, of_pair, current, settings.schema, places.database, result)
        if instructions:
            registration = _images(past, current, settings, places)
    except Rejected as reason:
        told = {entry["row"] for entry in result.rejected}
        for row in rows:
            if row.row not in told:
                result.reject(row, reason)
        return result
    result.kept = [
        {"row": number, "split": split, "instruction": text.write(settings.schema), "clauses": _clauses(text)}
        | _identity(past, current) | _figures(registration)
        for number, text in instructions.items()
    ]  # fmt: skip
    return result


def _studies(study_id: int, ref_id: int, patient: int, database: sqlite3.Connection) -> tuple[Study, Study, str]:
    """The reference study, the main study and the patient's split, or why they are no pair.

    `patient` is the one that the row names, which counts where the tables of studies do not tell.
    """
    if study_id == ref_id:
        raise Rejected(Reason.SAME_STUDY)
    past, current = find_study(database, ref_id), find_study(database, study_id)
    for number, study in ((ref_id, past), (study_id, current)):
        if study is None:
            raise Rejected(Reason.UNKNOWN_STUDY, f"study {number}")
    past, current = (replace(one, subject_id=one.subject_id or patient) for one in (past, current))
    if past.subject_id != current.subject_id:
        raise Rejected(
            Reason.PATIENT_MISMATCH,
            f"study {ref_id} is of patient {past.subject_id}, study {study_id} of {current.subject_id}",
        )
    if past.later_than(current):
        raise Rejected(Reason.WRONG_ORDER)
    for study in (past, current):
        if not study.frontal:
            raise Rejected(Reason.NO_FRONTAL_VIEW, f"study {study.study_id}")
    split = split_of_patient(database, current.subject_id)
    if split is None:
        raise Rejected(Reason.UNKNOWN_SPLIT)
    return past, current, split


def _instructions(rows, of_pair, current: Study, schema: str, database, result: PairResult) -> dict[int, Any]:
    """The instruction of each row that can be used, by the row's number; the other rows are noted in the result."""
    of_reference = questions_of_study(database, rows[0].ref_id) if rows and schema == "v2" else []
    seen_rows, seen_texts, instructions = set(), set(), {}
    for row in rows:
        try:
            if row.subject_id != current.subject_id:
                raise Rejected(
                    Reason.PATIENT_MISMATCH, f"the row names {row.subject_id}, the studies {current.subject_id}"
                )
            if (row.question, row.answer) in seen_rows:
                raise Rejected(Reason.DUPLICATE_ROW)
            seen_rows.add((row.question, row.answer))
            instruction = instruct(row, of_pair, of_reference, schema)
            text = instruction.write(schema)
            if text in seen_texts:
                raise Rejected(Reason.DUPLICATE_INSTRUCTION, text)
        except Rejected as reason:
            result.reject(row, reason)
            continue
        seen_texts.add(text)
        instructions[row.row] = instruction
    return instructions


def _images(past: Study, current: Study, settings: BuildSettings, places: Places) -> Registration:
    """Read, register and write the images of a pair."""
    side = settings.size * _OVERSAMPLED
    past_square, current_square = (_read(places.mimic, study, side) for study in (past, current))
    try:
        found = register(past_square, current_square, settings.registration)
    except ValueError as error:
        raise Rejected(Reason.REGISTRATION_QUALITY, str(error)) from error
    moved = _halved(move(past_square, found))
    current_square = _halved(current_square)
    registration = measure(moved, current_square, found)
    _check(registration, settings)
    name = past_name(past.dicom_id, current.dicom_id)
    both = (moved.valid & current_square.valid).astype(np.uint8) * 255
    for folder, file, values in (
        (PAST, name, moved.pixels), (VALID, name, both),
        (CURRENT, current_name(current.dicom_id), current_square.pixels),
    ):  # fmt: skip
        write_bytes(places.out / folder / file, encode_png(values, NOTICE), places.scratch)
    return registration


def _read(mimic: Path, study: Study, side: int) -> Square:
    path = image_path(mimic, study)
    inside = path.relative_to(mimic).as_posix()
    try:
        square = read_square(path, side)
    except FileNotFoundError as error:
        raise Rejected(Reason.MISSING_IMAGE, inside) from error
    except (ValueError, OSError, cv2.error) as error:
        raise Rejected(Reason.UNREADABLE_IMAGE, f"{inside}: {error}".replace(str(mimic), "MIMIC")) from error
    shown = square.pixels[square.valid]
    if shown.min() == shown.max():
        raise Rejected(Reason.FLAT_IMAGE, inside)
    return square


def _halved(square: Square) -> Square:
    valid = halve(square.valid.astype(np.uint8) * 255) == 255
    return Square(np.where(valid, halve(square.pixels), 0).astype(np.uint8), valid)


def _check(registration: Registration, settings: BuildSettings) -> None:
    if registration.quality < settings.min_quality:
        raise Rejected(Reason.REGISTRATION_QUALITY, f"{registration.quality:.3f} of {settings.min_quality:g}")
    if registration.overlap < settings.min_overlap:
        raise Rejected(Reason.REGISTRATION_OVERLAP, f"{registration.overlap:.3f} of {settings.min_overlap:g}")
    if not registration.plausible:
        largest, smallest = registration.stretches
        turn = registration.turn_degrees
        raise Rejected(
            Reason.REGISTRATION_IMPLAUSIBLE, f"turn {turn:.0f} degrees, scales {smallest:.2f} to {largest:.2f}"
        )


def _identity(past: Study, current: Study) -> dict[str, Any]:
    return {
        "past_dicom_id": past_name(past.dicom_id, current.dicom_id),
        "current_dicom_id": current_name(current.dicom_id),
        "subject_id": current.subject_id,
        "ref_id": past.study_id,
        "study_id": current.study_id,
        "past_image": past.dicom_id,
        "current_image": current.dicom_id,
    }


def _figures(registration: Registration) -> dict[str, Any]:
    figures = {"quality": registration.quality, "overlap": registration.overlap}
    figures |= dict(zip("abcd", registration.matrix)) | dict(zip(("right", "down"), registration.shift))
    return {name: round(value, 5) for name, value in figures.items()}


def _clauses(instruction) -> list[dict[str, Any]]:
    return instruction.as_dict()["clauses"]
