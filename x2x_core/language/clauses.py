"""Clauses: one operation on one finding, with its place and level."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from x2x_core.common.errors import InputError

from .vocabulary import FINDINGS, LEVELS, OTHER_SIDE, SIDES, ZONES, is_level, zones_meet

COURSE_REVERSED = {"increasing": "decreasing", "decreasing": "increasing"}


class Operation(StrEnum):
    """Operation on a finding."""

    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"


_REVERSED = {Operation.ADD: Operation.REMOVE, Operation.REMOVE: Operation.ADD, Operation.CHANGE: Operation.CHANGE}


def check_option(name: str, value: object, options: Iterable[str]) -> None:
    """Raise an `InputError` unless the argument `name` has one of the values in `options`."""
    options = tuple(options)
    if value not in options:
        raise InputError(f"`{name}` must be one of {', '.join(options)}, got {value!r}.")


@dataclass(frozen=True)
class Clause:
    """One operation on one finding.

    `level` is the level after the edit (ADD, CHANGE) or the present level (REMOVE); `level_from` is the level before a
    CHANGE. `None` leaves an attribute open.

    Raises:
        InputError: unknown finding, side, zone or level, or a change to the level that is already there.
    """

    operation: Operation
    finding: str  # canonical, a key of `x2x_core.language.vocabulary.FINDINGS`
    side: str | None = None  # one of `SIDES`, the patient's side
    zone: str | None = None  # one of `ZONES`
    level: str | None = None  # one of `LEVELS`, or another range of two of them
    level_from: str | None = None

    def __post_init__(self) -> None:
        check_option("operation", self.operation, tuple(operation.value for operation in Operation))
        object.__setattr__(self, "operation", Operation(self.operation))
        check_option("finding", self.finding, FINDINGS)
        for name, options in (("side", SIDES), ("zone", ZONES)):
            if getattr(self, name) is not None:
                check_option(name, getattr(self, name), options)
        for name in ("level", "level_from"):
            value = getattr(self, name)
            if value is not None and not is_level(value):
                check_option(name, value, LEVELS)
        if self.operation is not Operation.CHANGE and self.level_from is not None:
            raise InputError(f"`level_from` must be left out unless the operation is change, got {self.level_from!r}.")
        if self.operation is Operation.CHANGE and self.level in (None, self.level_from):
            other = f", different from {self.level_from!r}" if self.level_from else ""
            raise InputError(
                f"`level` must be the new level of {self.finding}{other}, got {self.level!r}. "
                f"Write for example: Change the level of {self.finding} from mild to severe."
            )

    def overlaps(self, other: Clause) -> bool:
        """Return True if both name the same finding in places that share a part of the lung."""
        sides_apart = {self.side, other.side} == {"left", "right"}
        return self.finding == other.finding and not sides_apart and zones_meet(self.zone, other.zone)

    def flipped(self) -> Clause:
        """Return the clause with left and right swapped."""
        return replace(self, side=OTHER_SIDE.get(self.side, self.side) if self.side else None)

    def reversed(self) -> Clause:
        """Return the clause that undoes this one.

        Raises:
            InputError: a change whose starting level is unknown.
        """
        if self.operation is not Operation.CHANGE:
            return replace(self, operation=_REVERSED[self.operation])
        if self.level in COURSE_REVERSED:
            return replace(self, level=self.level_from or COURSE_REVERSED[self.level], level_from=None)
        if self.level_from is not None:
            return replace(self, level=self.level_from, level_from=self.level)
        raise InputError(f"`level_from` must be known to undo a change, got {self}. Say which level it changes from.")

    def item(self, version: str = "v2") -> str:
        """Return the finding with its level and place as a sentence writes it; in "v1" the finding alone."""
        if version == "v1":
            return self.finding
        level = self.level if self.operation is not Operation.CHANGE else None
        return " ".join(word for word in (level, self._side_before(), self.finding, self._place_after()) if word)

    def _side_before(self) -> str | None:
        return self.side if self.zone is None or self.side == "bilateral" else None

    def _place_after(self) -> str | None:
        if self.zone is None:
            return None
        if self.side == "bilateral":
            return f"in the {self.zone} lung zones"
        return f"in the {self.side} {self.zone} lung zone" if self.side else f"in the {self.zone} lung zone"
