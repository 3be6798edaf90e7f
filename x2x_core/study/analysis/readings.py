"""Answers joined with the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.study.answers import ReaderAnswers
from x2x_core.study.definition import CHOICE, Study
from x2x_core.study.design.drafts import CASE
from x2x_core.study.design.questions import LEFT, RIGHT

_OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}


@dataclass(frozen=True)
class Reading:
    """Answers of one reader to one case.

    Args:
        case: name.
        kind: "case", "check" or "repeat".
        truth: what the key says of it.
        rows: answers; left and right are the sides of the key.
        seconds: on the screen.
        of: case that a repeat repeats.
        asked: answers that a check asks for.
    """

    case: str
    kind: str
    truth: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    seconds: float
    of: str | None
    asked: Mapping[str, Any]

    @property
    def row(self) -> Mapping[str, Any]:
        """The first row of answers."""
        return self.rows[0]


@dataclass(frozen=True)
class PartReadings:
    """Readings of a part.

    Args:
        name: of the part.
        readings: by reader and case, in the order of the case's names.
        cases: names of all cases, those of training left out.
    """

    name: str
    readings: Mapping[str, Mapping[str, Reading]]
    cases: tuple[str, ...]

    def finished(self, kind: str = CASE) -> dict[str, dict[str, Reading]]:
        """Return the readings of one kind, of the readers who answered all cases of the part."""
        return {
            reader: {name: reading for name, reading in of_reader.items() if reading.kind == kind}
            for reader, of_reader in self.readings.items()
            if len(of_reader) == len(self.cases)
        }


def join(study: Study, key: Mapping[str, Any], answers: Sequence[ReaderAnswers]) -> dict[str, PartReadings]:
    """Return the readings of each part.

    Raises:
        InputError: the key is of another study.
    """
    if key["study"] != study.study:
        raise InputError(f"`key` must be of the study {study.study}, but is of {key['study']}.")
    return {part.name: _join_part(study, part.name, key["parts"][part.name], answers) for part in study.parts}


def _join_part(study: Study, part: str, records: Mapping[str, Any], answers: Sequence[ReaderAnswers]) -> PartReadings:
    turning = {question.name for question in study.part(part).questions if _names_sides(question)}
    readings = {}
    for answered in answers:
        given = answered.answers.get(part, {})
        swapped = dict(study.orders[answered.reader][part])
        readings[answered.reader] = {
            case: Reading(
                case,
                records[case]["kind"],
                records[case]["truth"],
                tuple(_turned(row, turning) if swapped[case] else row for row in given[case].rows),
                given[case].seconds,
                records[case].get("of"),
                records[case].get("answers", {}),
            )
            for case in sorted(set(given) & set(swapped))
        }
    shown = tuple(sorted(case for case, _ in study.orders[study.readers[0]][part]))
    return PartReadings(part, readings, shown)


def _names_sides(question: Any) -> bool:
    values = {option.value for option in question.options}
    return question.kind == CHOICE and {LEFT, RIGHT} <= values and question.name != "side"


def _turned(row: Mapping[str, Any], turning: set[str]) -> dict[str, Any]:
    """Return a row as if the pictures had not changed sides."""
    return {name: _OTHER_SIDE.get(answer, answer) if name in turning else answer for name, answer in row.items()}
