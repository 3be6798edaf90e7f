"""A study as its readers get it: parts with questions, cases under blinded names, an order for each reader.

The JSON form, which `study.json` and the page hold::

    {"format": "x2x-study-1", "study": id, "title", "consent", "notice", "readers": [...],
     "parts": [{"name", "title", "task", "panes", "repeats", "questions": [...],
                "cases": {NAME: {"pictures", "caption"}}, "training": [{"case", "answers", "explanation"}]}],
     "orders": {READER: {PART: [[case, swapped], ...]}}}

Nothing in it tells an edit from a picture as it was, except the answers of training cases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError

FORMAT = "x2x-study-1"
DEFINITION, PICTURES, PAGE = "study.json", "pictures", "index.html"
CHOICE, SEVERAL, BOX, TEXT = "choice", "several", "box", "text"  # kinds of questions
Placement = tuple[str, bool]  # a case, and whether its two pictures change sides


@dataclass(frozen=True)
class Option:
    """An answer that can be chosen.

    Args:
        value: as it is recorded.
        label: as it is shown.
    """

    value: str
    label: str


@dataclass(frozen=True)
class Question:
    """A question of a part.

    Args:
        name: as the answer is recorded.
        text: as it is shown.
        kind: "choice" (one option), "several" (any number of options, at least one), "box" (a rectangle on the picture)
            or "text" (free text).
        options: of "choice" and "several".
        when: it is asked only if each of these questions has one of these answers.
        optional: it may be left open.
    """

    name: str
    text: str
    kind: str = CHOICE
    options: tuple[Option, ...] = ()
    when: Mapping[str, tuple[str, ...]] | None = None
    optional: bool = False


@dataclass(frozen=True)
class StudyCase:
    """Pictures that are shown at once, one or two side by side, with an optional caption."""

    pictures: tuple[str, ...]
    caption: str = ""


@dataclass(frozen=True)
class Training:
    """A case whose answers are shown after the reader has given theirs.

    Args:
        case: name of the case.
        answers: right answers by question.
        explanation: a sentence shown with them.
    """

    case: str
    answers: Mapping[str, Any]
    explanation: str


@dataclass(frozen=True)
class Part:
    """A part of a study: one task.

    Args:
        name: as it is recorded.
        title: as it is shown.
        task: instructions to the reader.
        panes: 1, or 2 for pictures side by side.
        repeats: largest number of answers to a case (several findings on one picture).
        questions: in their order.
        cases: by name; those of training included.
        training: in their order.
    """

    name: str
    title: str
    task: str
    panes: int
    repeats: int
    questions: tuple[Question, ...]
    cases: Mapping[str, StudyCase]
    training: tuple[Training, ...] = ()


@dataclass(frozen=True)
class Study:
    """A study; the fields are those of the JSON form."""

    study: str
    title: str
    consent: str
    notice: str
    readers: tuple[str, ...]
    parts: tuple[Part, ...]
    orders: Mapping[str, Mapping[str, tuple[Placement, ...]]]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"format": FORMAT, **asdict(self)}

    def part(self, name: str) -> Part:
        """Return a part by its name."""
        return next(part for part in self.parts if part.name == name)

    @property
    def picture_names(self) -> set[str]:
        """Names of all pictures."""
        return {name for part in self.parts for case in part.cases.values() for name in case.pictures}


def read_study(folder: Path) -> Study:
    """Read the study of a folder.

    Raises:
        InputNotFoundError: no study there.
        InputError: another format.
    """
    path = folder / DEFINITION
    if not path.is_file():
        raise InputNotFoundError(f"There is no study at `{folder}`: `{DEFINITION}` is missing. Make one first.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("format") != FORMAT:
            raise KeyError("format")
        parts = tuple(_part(part) for part in record.pop("parts"))
        orders = {
            reader: {part: tuple((case, bool(swapped)) for case, swapped in order) for part, order in of_reader.items()}
            for reader, of_reader in record.pop("orders").items()
        }
        return Study(**{**record, "readers": tuple(record["readers"])}, parts=parts, orders=orders)
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"`{path}` must hold a study ({FORMAT}): {error!r}.") from error


def _part(record: dict[str, Any]) -> Part:
    questions = tuple(_question(entry) for entry in record.pop("questions"))
    cases = {name: StudyCase(tuple(entry["pictures"]), entry["caption"]) for name, entry in record.pop("cases").items()}
    training = tuple(Training(**entry) for entry in record.pop("training"))
    return Part(**record, questions=questions, cases=cases, training=training)


def _question(record: dict[str, Any]) -> Question:
    options = tuple(Option(**entry) for entry in record.pop("options"))
    when = record.pop("when")
    return Question(**record, options=options, when=when and {name: tuple(values) for name, values in when.items()})
