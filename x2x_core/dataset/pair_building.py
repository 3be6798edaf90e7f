"""Build one pair of studies: rows of questions become instructions, two images a registered pair of files."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from x2x_core.language.instruction import Instruction

from .pair_images import ImageFolders, write_images
from .pair_studies import PairStudies, find_pair
from .questions import Question, questions_of_pair, questions_of_study
from .registration import Registration
from .rejections import Reason, RowRejectedError
from .settings import BuildSettings
from .wording import PairQuestions, instruct


@dataclass
class PairResult:
    """Result of one pair: rows of `pairs.csv` with their instructions, and rejected rows."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, row: Question, error: RowRejectedError) -> None:
        """Record that a row cannot be used."""
        self.rejected.append({**vars(row), "reason": error.reason.value, "detail": error.detail})


def build_pair(
    study_id: int, ref_id: int, settings: BuildSettings, database: sqlite3.Connection, folders: ImageFolders
) -> PairResult:
    """Build the instructions and images of one pair, and write the images.

    Problems of the tables or the images are recorded in the result, not raised.
    """
    result = PairResult()
    main = questions_of_pair(database, study_id, ref_id)
    needs_reference = settings.schema == "v2"
    questions = PairQuestions(main, questions_of_study(database, ref_id) if needs_reference else [])
    rows = questions.differences
    try:
        pair = find_pair(database, study_id, ref_id, rows[0].subject_id)
        instructions = _instructions(questions, pair, settings.schema, result)
        if instructions:
            registration = write_images(pair, settings, folders)
            result.kept = [
                {"row": number, "split": pair.split, "instruction": instruction.write(settings.schema)}
                | {"clauses": instruction.as_dict()["clauses"]}
                | pair.record()
                | _registration_record(registration)
                for number, instruction in instructions.items()
            ]
    except RowRejectedError as error:
        rejected = {entry["row"] for entry in result.rejected}
        for row in rows:
            if row.row not in rejected:
                result.reject(row, error)
    return result


def _instructions(
    questions: PairQuestions, pair: PairStudies, schema: str, result: PairResult
) -> dict[int, Instruction]:
    """Return the instruction of each usable row by its number; all other rows are recorded in the result."""
    seen_rows: set[tuple[str, str]] = set()
    seen_texts: set[str] = set()
    instructions = {}
    for row in questions.differences:
        try:
            if row.subject_id != pair.patient:
                raise RowRejectedError(
                    Reason.PATIENT_MISMATCH, f"the row names {row.subject_id}, the studies {pair.patient}"
                )
            if (row.question, row.answer) in seen_rows:
                raise RowRejectedError(Reason.DUPLICATE_ROW)
            seen_rows.add((row.question, row.answer))
            instruction = instruct(row, questions, schema)
            text = instruction.write(schema)
            if text in seen_texts:
                raise RowRejectedError(Reason.DUPLICATE_INSTRUCTION, text)
        except RowRejectedError as error:
            result.reject(row, error)
            continue
        seen_texts.add(text)
        instructions[row.row] = instruction
    return instructions


def _registration_record(registration: Registration) -> dict[str, float]:
    record = {"quality": registration.quality, "overlap": registration.overlap}
    record |= dict(zip("abcd", registration.matrix)) | dict(zip(("right", "down"), registration.shift))
    return {name: round(value, 5) for name, value in record.items()}
