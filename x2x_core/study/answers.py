"""The file that a reader hands back.

Its JSON form, as the page writes it::

    {"format": "x2x-answers-1", "study": id, "reader": "R1", "revision": n, "complete": bool, "consent": {"at", "text"},
     "answers": {PART: {CASE: {"rows": [{QUESTION: answer}], "seconds": s, "visits": n, "at": time}}},
     "training": like "answers"}

An answer is the value of an option, a list of them, a text, or `{"pane": 0, "box": [left, top, right, bottom]}` in
pixels of the picture. Left and right mean the sides as they were shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError

from .definition import BOX, CHOICE, SEVERAL, TEXT, Part, Question, Study

FORMAT = "x2x-answers-1"
_LONGEST_TEXT = 2000
_LARGEST = 1e6  # pixels of a picture
_LONGEST_TIME = 40  # characters


@dataclass(frozen=True)
class CaseAnswers:
    """Answers to one case.

    Args:
        rows: answers by question; several rows if a part asks for several findings.
        seconds: that the case was on the screen.
        visits: how often the reader came to it.
    """

    rows: tuple[Mapping[str, Any], ...]
    seconds: float
    visits: int


@dataclass(frozen=True)
class ReaderAnswers:
    """Answers of one reader: by part and case.

    Args:
        reader: code of the reader.
        revision: rises with each answer.
        complete: all cases are read.
        answers: by part and case.
        began: when the reader agreed to take part; ``None`` in a file that does not say it.
    """

    reader: str
    revision: int
    complete: bool
    answers: Mapping[str, Mapping[str, CaseAnswers]]
    began: str | None = None


def read_answers_of(folder: Path, study: Study) -> list[ReaderAnswers]:
    """Read the answers of all readers in a folder, `*.json`.

    Of several files of one reader, the newest revision counts.

    Raises:
        InputNotFoundError: no such folder, or no answers in it.
        InputError: a file that holds no answers to this study, or two readings under one code.
    """
    files = sorted(folder.glob("*.json")) if folder.is_dir() else [folder] if folder.is_file() else []
    if not files:
        raise InputNotFoundError(f"There are no answers in `{folder}`: put the files of the readers there.")
    newest: dict[str, ReaderAnswers] = {}
    places: dict[str, Path] = {}
    for path in files:
        try:
            answers = check_answers(json.loads(path.read_text(encoding="utf-8")), study)
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise InputError(f"`{path}` must be a file of answers: {error}.") from error
        except InputError as error:
            raise InputError(f"`{path}`: {error}") from error
        reader, known = answers.reader, newest.get(answers.reader)
        if known is not None and None not in (known.began, answers.began) and known.began != answers.began:
            raise InputError(
                f"`{places[reader]}` and `{path}` are two readings under the code {reader}, begun at {known.began} and "
                f"{answers.began}: keep the one by {reader}, and let the other person read under a code of their own."
            )
        if known is None or answers.revision > known.revision:
            newest[reader], places[reader] = answers, path
    return [newest[reader] for reader in study.readers if reader in newest]


def check_answers(record: Any, study: Study) -> ReaderAnswers:
    """Check a record of answers, as a file or a page gives it.

    Raises:
        InputError: not answers to this study.
    """
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InputError(f"Answers must have the format {FORMAT}.")
    if record.get("study") != study.study:
        raise InputError(f"Answers must be to the study {study.study}, but are to {record.get('study')!r:.40}.")
    if record.get("reader") not in study.readers:
        raise InputError(f"`reader` must be one of {', '.join(study.readers)}, got {record.get('reader')!r:.40}.")
    revision, complete = record.get("revision"), record.get("complete")
    if type(revision) is not int or revision < 0 or type(complete) is not bool:
        raise InputError("`revision` must be a whole number and `complete` true or false.")
    answers = {}
    for kind in ("answers", "training"):
        by_part = _mapping(record.get(kind), kind)
        checked = {name: _part(study, name, cases) for name, cases in by_part.items()}
        if kind == "answers":
            answers = checked
    consent = record.get("consent")
    began = consent.get("at") if isinstance(consent, dict) else None
    return ReaderAnswers(
        record["reader"], revision, complete, answers, began[:_LONGEST_TIME] if isinstance(began, str) else None
    )


def _part(study: Study, name: str, cases: Any) -> dict[str, CaseAnswers]:
    if name not in {part.name for part in study.parts}:
        raise InputError(f"Answers must be to parts of the study, got {name!r:.40}.")
    part = study.part(name)
    return {case: _case(part, case, record) for case, record in _mapping(cases, name).items()}


def _case(part: Part, name: str, record: Any) -> CaseAnswers:
    place = f"Answers to {part.name} {name!r:.40}"
    record = _mapping(record, place)
    rows, seconds, visits = record.get("rows"), record.get("seconds"), record.get("visits")
    if name not in part.cases:
        raise InputError(f"{place} must be to a case of the study.")
    if not isinstance(rows, list) or not 1 <= len(rows) <= part.repeats:
        raise InputError(f"{place} must have 1 to {part.repeats} rows.")
    if type(seconds) not in (int, float) or not 0 <= seconds < 1e7 or type(visits) is not int or visits < 1:
        raise InputError(f"{place} must have `seconds` and `visits`.")
    return CaseAnswers(tuple(_row(part, row, place) for row in rows), float(seconds), visits)


def _row(part: Part, row: Any, place: str) -> dict[str, Any]:
    row, questions = _mapping(row, place), {question.name: question for question in part.questions}
    for name, answer in row.items():
        if name not in questions or not _fits(questions[name], answer):
            raise InputError(f"{place} must answer the questions of the part, got {name!r:.40}: {answer!r:.60}.")
    for question in part.questions:
        asked = all(row.get(name) in values for name, values in (question.when or {}).items())
        if asked and not question.optional and question.name not in row:
            raise InputError(f"{place} must answer `{question.name}`.")
        if not asked and question.name in row:
            raise InputError(f"{place} must leave `{question.name}` out, which was not asked.")
    return row


def _fits(question: Question, answer: Any) -> bool:
    """Return True if an answer is one that the question allows."""
    values = {option.value for option in question.options}
    if question.kind == CHOICE:
        return isinstance(answer, str) and answer in values
    if question.kind == SEVERAL:
        return isinstance(answer, list) and bool(answer) and all(isinstance(value, str) for value in answer) and (
            set(answer) <= values and len(set(answer)) == len(answer)
        )  # fmt: skip
    if question.kind == TEXT:
        return isinstance(answer, str) and len(answer) <= _LONGEST_TEXT
    assert question.kind == BOX
    box = answer.get("box") if isinstance(answer, dict) and answer.get("pane") in (0, 1) else None
    if not isinstance(box, list) or len(box) != 4 or any(type(value) not in (int, float) for value in box):
        return False
    return 0 <= box[0] < box[2] < _LARGEST and 0 <= box[1] < box[3] < _LARGEST


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{place} must be a mapping.")
    return value
