"""Explanation of an instruction: what an edit would do, where on the picture, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .clauses import Clause
from .open_places import open_attributes
from .vocabulary import FINDINGS

_PICTURE_SIDES = {
    "left": "the patient's left, on the right of the picture",
    "right": "the patient's right, on the left of the picture",
    "bilateral": "both sides",
}
_REGIONS = {
    "thorax": "the whole thorax: the text names no known finding with an operation",
    "image": "the whole image: the text names no known finding with an operation",
}


@dataclass(frozen=True)
class LeftOut:
    """Words of a text that request nothing, and the reason."""

    words: str
    reason: str


@dataclass(frozen=True)
class ExplainedClause:
    """A clause in words."""

    operation: str
    finding: str
    place: str
    level: str | None

    def __str__(self) -> str:
        level = f"; level: {self.level}" if self.level else ""
        return f"{self.operation} {self.finding}: {self.place}{level}"


@dataclass(frozen=True)
class Explanation:
    """The reading of an instruction, for people."""

    text: str  # the user's words
    language: str  # code of the language that the text was read in
    canonical: str  # the sentences that the model is given
    clauses: tuple[ExplainedClause, ...]
    region: str  # in words
    corrected: tuple[tuple[str, str], ...]  # words and what they were taken for
    left_out: tuple[LeftOut, ...]
    assumed: tuple[str, ...] = ()  # sentences about readings of what the text leaves open
    left_alone: tuple[str, ...] = ()  # findings that the text says to leave alone

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as JSON-serialisable data."""
        corrected = [{"word": word, "taken_for": taken} for word, taken in self.corrected]
        return {**asdict(self), "clauses": [asdict(clause) for clause in self.clauses], "corrected": corrected}

    def __str__(self) -> str:
        lines = [f"Text: {self.text}"] if self.text else []
        lines += [f"Understood: {self.canonical}", *(f"- {clause}" for clause in self.clauses)]
        lines += [f"Region: {self.region}"]
        lines += [f"Corrected: {word!r} was taken for {taken!r}." for word, taken in self.corrected]
        lines += [f"Assumed: {sentence}" for sentence in self.assumed]
        lines += [f"Left alone: {', '.join(self.left_alone)}."] if self.left_alone else []
        lines += [f"Left out: {part.words!r} {part.reason}." for part in self.left_out]
        return "\n".join(lines)


def explain_clause(clause: Clause, to_draw: bool = False, drawn: bool = False) -> ExplainedClause:
    """Return a clause in words.

    Args:
        clause: one clause of an instruction.
        to_draw: True if an edit draws what is open of its place.
        drawn: True if its place was drawn.
    """
    place = _open_place(clause) if to_draw else _place(clause)
    if drawn:
        place = f"{place} (drawn at random)"
    return ExplainedClause(clause.operation.value, clause.finding, place, _level(clause))


def explain_region(region: str) -> str:
    """Return the region of an instruction in words."""
    return _REGIONS.get(region, "where the findings can be")


def group_left_out(parts: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """Join neighbours that were left out for the same reason."""
    joined: list[LeftOut] = []
    for part in parts:
        if joined and joined[-1].reason == part.reason:
            joined[-1] = LeftOut(f"{joined[-1].words} {part.words}", part.reason)
        else:
            joined.append(part)
    return tuple(joined)


def _place(clause: Clause) -> str:
    side = _PICTURE_SIDES[clause.side] if clause.side else _without_side(clause.finding)
    return f"{side}, {clause.zone} zone" if clause.zone else side


def _open_place(clause: Clause) -> str:
    """Return the place of a clause that leaves a part of it to be drawn."""
    drawn = " and a ".join(open_attributes(clause))
    named = _place(clause) if clause.side else f"{clause.zone} zone" if clause.zone else None
    return f"{f'{named}, ' if named else ''}a {drawn} that the edit draws at random, as none is named"


def _without_side(finding: str) -> str:
    return "on either side, as no side is named" if FINDINGS[finding].lateral else f"{FINDINGS[finding].site}"


def _level(clause: Clause) -> str | None:
    if clause.level_from and clause.level:
        return f"from {clause.level_from} to {clause.level}"
    return clause.level
