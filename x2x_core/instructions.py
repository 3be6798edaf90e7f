"""The instruction language: what to add, remove or change, where, and how much.

Two wordings are read and written. v1 is the published one (Min et al., MICCAI 2025): "Add the finding of X.", "Add the
findings of X, Y and Z.", "Remove the finding of X.", "Change the level of X from A to B.". v2 adds a level and a place
to each finding: "Add the finding of moderate pleural effusion in the left lower lung zone.". Clauses follow each other,
joined by a space. Reading is done in `x2x_core.instruction_parsing`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from itertools import groupby
from typing import Any

from .findings import FINDINGS, LEVEL_NAMES, LEVELS, SIDES, ZONES

REGIONS = ("findings", "thorax", "image")


class Operation(str, Enum):
    """What is done to a finding."""

    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"


_REVERSED = {Operation.ADD: Operation.REMOVE, Operation.REMOVE: Operation.ADD, Operation.CHANGE: Operation.CHANGE}
_COURSE_REVERSED = {"increasing": "decreasing", "decreasing": "increasing"}
_OTHER_SIDE = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Clause:
    """One operation on one finding.

    `level` is the level that is reached (ADD, CHANGE) or that is there (REMOVE); `level_from` the one before a CHANGE.
    `None` means that the words leave it open.

    Raises:
        ValueError: an unknown finding, side, zone or level, or a change that changes nothing.
    """

    operation: Operation
    finding: str  # canonical, a key of `x2x_core.findings.FINDINGS`
    side: str | None = None  # one of `SIDES`, of the patient
    zone: str | None = None  # one of `ZONES`
    level: str | None = None  # one of `LEVELS`
    level_from: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "operation", Operation(self.operation))
        _check("finding", self.finding, FINDINGS)
        for name, options in (("side", SIDES), ("zone", ZONES), ("level", LEVELS), ("level_from", LEVELS)):
            if getattr(self, name) is not None:
                _check(name, getattr(self, name), options)
        if self.operation is not Operation.CHANGE and self.level_from is not None:
            raise ValueError(f"`level_from` must be left out where a finding is not changed, got {self.level_from!r}.")
        if self.operation is Operation.CHANGE and self.level == self.level_from:
            raise ValueError(
                f"`level` must say what the level of {self.finding} changes to, another one than {self.level_from!r}, "
                f"got {self.level!r}. Write for example: Change the level of {self.finding} from mild to severe."
            )

    def overlaps(self, other: Clause) -> bool:
        """Whether both speak of the same finding in places that are not apart."""
        sides_apart = {self.side, other.side} == {"left", "right"}
        zones_apart = None not in (self.zone, other.zone) and self.zone != other.zone
        return self.finding == other.finding and not sides_apart and not zones_apart

    def flipped(self) -> Clause:
        """The same with left and right swapped."""
        return replace(self, side=_OTHER_SIDE.get(self.side, self.side))

    def reversed(self) -> Clause:
        """The clause that undoes this one."""
        if self.operation is not Operation.CHANGE:
            return replace(self, operation=_REVERSED[self.operation])
        if self.level_from is not None:
            return replace(self, level=self.level_from, level_from=self.level)
        if self.level in _COURSE_REVERSED:
            return replace(self, level=_COURSE_REVERSED[self.level])
        raise ValueError(f"`level_from` must be known for a change to be undone, got {self}.")

    def item(self, version: str = "v2") -> str:
        """The finding with its level and place, as the sentence has it."""
        if version == "v1":
            return self.finding
        level = self.level if self.operation is not Operation.CHANGE else None
        return " ".join(word for word in (level, self._before(), self.finding, self._place()) if word)

    def _before(self) -> str | None:
        return self.side if self.zone is None or self.side == "bilateral" else None

    def _place(self) -> str | None:
        if self.zone is None:
            return None
        if self.side == "bilateral":
            return f"in the {self.zone} lung zones"
        return f"in the {self.side} {self.zone} lung zone" if self.side else f"in the {self.zone} lung zone"


def _check(name: str, value: str, options: Sequence[str] | dict) -> None:
    if value not in options:
        raise ValueError(f"`{name}` must be one of {', '.join(options)}, got {value!r}.")


@dataclass(frozen=True)
class Instruction:
    """What is to be edited.

    Raises:
        ValueError: contradictory clauses, or an unknown region.
    """

    clauses: tuple[Clause, ...] = ()
    text: str = ""  # the user's own words; empty where the instruction was built from clauses
    unplaced: tuple[str, ...] = ()  # words that the parser could not place
    region: str = "findings"  # what may be edited: where the findings can be, the whole thorax, or the whole image

    def __post_init__(self) -> None:
        object.__setattr__(self, "clauses", tuple(dict.fromkeys(self.clauses)))
        _check("region", self.region, REGIONS)
        for number, clause in enumerate(self.clauses):
            for other in self.clauses[:number]:
                _check_agreement(other, clause)

    @classmethod
    def parse(cls, text: str, *, free_region: str = "thorax") -> Instruction:
        """Read an instruction in any of its wordings; see `x2x_core.instruction_parsing.parse`.

        Args:
            text: the user's words.
            free_region: the region of free text that names no known finding or no operation: "thorax" or "image".

        Raises:
            ValueError: an empty text, contradictory clauses, or a change that does not say to what.
        """
        from .instruction_parsing import parse

        return parse(text, free_region=free_region)

    def __str__(self) -> str:
        return self.write("v2")

    @property
    def findings(self) -> tuple[str, ...]:
        """The findings it names, each once."""
        return tuple(dict.fromkeys(clause.finding for clause in self.clauses))

    def write(self, version: str = "v2") -> str:
        """The instruction in its canonical words; free text as it came.

        Args:
            version: "v1" (findings alone) or "v2" (with levels and places where they are known).

        Raises:
            ValueError: another version, or a change without both levels in v1.
        """
        _check("version", version, ("v1", "v2"))
        if not self.clauses:
            return self.text
        groups = groupby(self.clauses, key=lambda clause: clause.operation)
        sentences = [_write_group(operation, list(clauses), version) for operation, clauses in groups]
        return " ".join(sentences)

    def flipped(self) -> Instruction:
        """The instruction for the mirrored image: left and right swapped."""
        clauses = tuple(clause.flipped() for clause in self.clauses)
        return replace(self, clauses=clauses, text=swap_sides(self.text))

    def reversed(self) -> Instruction:
        """The instruction that leads back: what was added is removed, levels change the other way.

        Raises:
            ValueError: free text, or a change that does not say from what.
        """
        if not self.clauses:
            raise ValueError(f"`clauses` must not be empty for an instruction to be undone, got {self.text!r}.")
        return Instruction(tuple(clause.reversed() for clause in reversed(self.clauses)))

    def as_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        clauses = [{**asdict(clause), "operation": clause.operation.value} for clause in self.clauses]
        return {
            "text": self.text or str(self),
            "canonical": str(self),
            "clauses": clauses,
            "unplaced": list(self.unplaced),
            "region": self.region,
        }


def _check_agreement(first: Clause, second: Clause) -> None:
    if not first.overlaps(second):
        return
    if first.operation is not second.operation:
        raise ValueError(
            f"`prompt` must not contradict itself, but it would {first.operation.value} and "
            f"{second.operation.value} {second.finding} in the same place. Keep one of the two, or name the sides."
        )
    same_place = (first.side, first.zone) == (second.side, second.zone)
    if same_place and (first.level, first.level_from) != (second.level, second.level_from):
        raise ValueError(
            f"`prompt` must give {second.finding} one level in one place, but it gives {first.level or 'none'} and "
            f"{second.level or 'none'}. Keep one of the two, or name the sides."
        )


def _write_group(operation: Operation, clauses: list[Clause], version: str) -> str:
    if operation is Operation.CHANGE:
        return " ".join(_write_change(clause, version) for clause in clauses)
    items = list(dict.fromkeys(clause.item(version) for clause in clauses))
    noun = "finding" if len(items) == 1 else "findings"
    return f"{operation.value.capitalize()} the {noun} of {_join(items)}."


def _write_change(clause: Clause, version: str) -> str:
    item = clause.item(version)
    if clause.level_from is not None:
        return f"Change the level of {item} from {clause.level_from} to {_unambiguous(clause)}."
    if clause.level in _COURSE_REVERSED:
        verb = "Increase" if clause.level == "increasing" else "Decrease"
        return f"{verb} the level of {item}."
    return f"Change the level of {item} to {clause.level}."


def _unambiguous(clause: Clause) -> str:
    """The level reached; a range with hyphens where "from mild to moderate to severe" could be read in two ways."""
    joined = f"{clause.level_from} to {clause.level.split(' ')[0]}"
    return clause.level.replace(" ", "-") if " " in clause.level and joined in LEVEL_NAMES else clause.level


def _join(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def swap_sides(text: str) -> str:
    """Left and right swapped in a text, whole words, letter case kept."""
    return re.sub(r"\b(left|right)\b", lambda match: _swap(match.group()), text, flags=re.IGNORECASE)


def _swap(word: str) -> str:
    other = _OTHER_SIDE[word.lower()]
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other
