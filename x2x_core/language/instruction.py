"""The instruction language: what to add, remove or change, where, and how much.

Two wordings are read and written. v1 is the published one (Min et al., MICCAI 2025): "Add the finding of X.", "Add the
findings of X, Y and Z.", "Remove the finding of X.", "Change the level of X from A to B.". v2 adds a level and a place
to each finding: "Add the finding of moderate pleural effusion in the left lower lung zone.". Clauses follow each other,
joined by a space. Reading is done in `x2x_core.language.parser`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from itertools import groupby
from typing import Any

from x2x_core.common.errors import InputError

from .vocabulary import FINDINGS, LEVELS, SIDES, ZONES, is_level, level_range, rarity, zones_meet

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
        InputError: an unknown finding, side, zone or level, or a change that changes nothing.
    """

    operation: Operation
    finding: str  # canonical, a key of `x2x_core.language.vocabulary.FINDINGS`
    side: str | None = None  # one of `SIDES`, of the patient
    zone: str | None = None  # one of `ZONES`
    level: str | None = None  # one of `LEVELS`, or another range of two of them
    level_from: str | None = None

    def __post_init__(self) -> None:
        _check("operation", self.operation, tuple(operation.value for operation in Operation))
        object.__setattr__(self, "operation", Operation(self.operation))
        _check("finding", self.finding, FINDINGS)
        for name, options in (("side", SIDES), ("zone", ZONES), ("level", LEVELS), ("level_from", LEVELS)):
            value = getattr(self, name)
            if value is not None and not (options is LEVELS and is_level(value)):
                _check(name, value, options)
        if self.operation is not Operation.CHANGE and self.level_from is not None:
            raise InputError(f"`level_from` must be left out where a finding is not changed, got {self.level_from!r}.")
        if self.operation is Operation.CHANGE and self.level in (None, self.level_from):
            raise InputError(
                f"`level` must say what the level of {self.finding} changes to{self._not_the_same()}, "
                f"got {self.level!r}. Write for example: Change the level of {self.finding} from mild to severe."
            )

    def _not_the_same(self) -> str:
        return f", another one than {self.level_from!r}" if self.level_from else ""

    def overlaps(self, other: Clause) -> bool:
        """Whether both speak of the same finding in places that are not apart."""
        sides_apart = {self.side, other.side} == {"left", "right"}
        return self.finding == other.finding and not sides_apart and zones_meet(self.zone, other.zone)

    def flipped(self) -> Clause:
        """The same with left and right swapped."""
        return replace(self, side=_OTHER_SIDE.get(self.side, self.side))

    def reversed(self) -> Clause:
        """The clause that undoes this one."""
        if self.operation is not Operation.CHANGE:
            return replace(self, operation=_REVERSED[self.operation])
        if self.level in _COURSE_REVERSED:
            return replace(self, level=self.level_from or _COURSE_REVERSED[self.level], level_from=None)
        if self.level_from is not None:
            return replace(self, level=self.level_from, level_from=self.level)
        raise InputError(f"`level_from` must be known for a change to be undone, got {self}.")

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
        raise InputError(f"`{name}` must be one of {', '.join(options)}, got {value!r}.")


@dataclass(frozen=True)
class Instruction:
    """What is to be edited. Words that could not be placed ask for nothing: two instructions may be equal without them.

    Raises:
        InputError: contradictory clauses, or an unknown region.
    """

    clauses: tuple[Clause, ...] = ()
    text: str = ""  # the user's own words; empty where the instruction was built from clauses
    unplaced: tuple[str, ...] = field(default=(), compare=False)  # words that the parser could not place
    region: str = "findings"  # what may be edited: where the findings can be, the whole thorax, or the whole image

    def __post_init__(self) -> None:
        object.__setattr__(self, "clauses", tuple(dict.fromkeys(self.clauses)))
        _check("region", self.region, REGIONS)
        for number, clause in enumerate(self.clauses):
            for other in self.clauses[:number]:
                _check_agreement(other, clause)

    @classmethod
    def parse(cls, text: str, *, free_region: str = "thorax") -> Instruction:
        """Read an instruction in any of its wordings; see `x2x_core.language.parser.parse`.

        Args:
            text: the user's words.
            free_region: the region of free text that names no known finding or no operation: "thorax" or "image".

        Raises:
            InputError: an empty text, contradictory clauses, or a change that does not say to what.
        """
        from .parser import parse

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

        v1 does not tell places apart: what is different at different places may contradict itself in v1.

        Raises:
            InputError: another version.
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
            InputError: free text, or a change that does not say from what.
        """
        if not self.clauses:
            raise InputError(f"`clauses` must not be empty for an instruction to be undone, got {self.text!r}.")
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
        raise InputError(
            f"`prompt` must not contradict itself, but it would {first.operation.value} and "
            f"{second.operation.value} {second.finding} in the same place. Keep one of the two, or name the sides."
        )
    same_place = (first.side or "bilateral", first.zone) == (second.side or "bilateral", second.zone)
    if same_place and (first.level, first.level_from) != (second.level, second.level_from):
        raise InputError(
            f"`prompt` must give {second.finding} one level in one place, but it gives {first.level or 'none'} and "
            f"{second.level or 'none'}. Keep one of the two, or name the sides."
        )


def _write_group(operation: Operation, clauses: list[Clause], version: str) -> str:
    if operation is Operation.CHANGE:
        return " ".join(dict.fromkeys(_write_change(clause, version) for clause in clauses))
    items = list(dict.fromkeys(clause.item(version) for clause in clauses))
    noun = "finding" if len(items) == 1 else "findings"
    return f"{operation.value.capitalize()} the {noun} of {_join(items)}."


def _write_change(clause: Clause, version: str) -> str:
    item, (before, after) = clause.item(version), _unambiguous(clause.level_from, clause.level)
    origin = f" from {before}" if before else ""
    if clause.level in _COURSE_REVERSED:
        verb = "Increase" if clause.level == "increasing" else "Decrease"
        return f"{verb} the level of {item}{origin}."
    return f"Change the level of {item}{origin} to {after}."


def _unambiguous(before: str | None, after: str) -> tuple[str | None, str]:
    """Both levels, with hyphens where "from A to B to C" would be read in the other of its two ways.

    The parser reads A to B as the level before, unless B to C is the more usual range.
    """
    if before and after in _COURSE_REVERSED:  # "increase ... from mild to moderate" would name the level reached
        return before.replace(" ", "-"), after
    steps = f"{before} to {after}".split(" to ")
    ranges = [level_range(*pair) for pair in zip(steps, steps[1:])]
    if len(steps) != 3 or None in ranges or (" to " in before) == (rarity(ranges[0]) <= rarity(ranges[1])):
        return before, after
    return before.replace(" ", "-"), after.replace(" ", "-")


def _join(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def swap_sides(text: str) -> str:
    """Left and right swapped in a text: whole words, with the abbreviations of sides and lobes, letter case kept."""
    return re.sub(r"\w+", lambda match: _swap(match.group()), text)


_SWAPS = {"left": "right", "lt": "rt", "leftsided": "rightsided", "lul": "rul", "lml": "rml", "lll": "rll"}
_SWAPS |= {right: left for left, right in _SWAPS.items()}


def _swap(word: str) -> str:
    """The word of the other side, its letters upper or lower case as those that they replace."""
    other = _SWAPS.get(word.lower())
    if other is None:
        return word
    cases = word.ljust(len(other), word[-1])
    return "".join(new.upper() if old.isupper() else new for new, old in zip(other, cases))
