"""Canonical sentences of the instruction language, v1 and v2, from clauses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from .clauses import COURSE_REVERSED, Clause, Operation
from .vocabulary import level_range, rarity


def write_clauses(clauses: Sequence[Clause], version: str) -> str:
    """Return the sentences of `clauses`: neighbours with the same operation share one, changes have one each.

    Args:
        clauses: at least one.
        version: "v1" or "v2".
    """
    groups = groupby(clauses, key=lambda clause: clause.operation)
    return " ".join(_write_group(operation, list(group), version) for operation, group in groups)


def _write_group(operation: Operation, clauses: list[Clause], version: str) -> str:
    if operation is Operation.CHANGE:
        return " ".join(dict.fromkeys(_write_change(clause, version) for clause in clauses))
    items = list(dict.fromkeys(clause.item(version) for clause in clauses))
    noun = "finding" if len(items) == 1 else "findings"
    return f"{operation.value.capitalize()} the {noun} of {_enumerate(items)}."


def _write_change(clause: Clause, version: str) -> str:
    assert clause.level is not None  # a change has a level, see `Clause`
    item, (before, after) = clause.item(version), _unambiguous(clause.level_from, clause.level)
    origin = f" from {before}" if before else ""
    if clause.level in COURSE_REVERSED:
        verb = "Increase" if clause.level == "increasing" else "Decrease"
        return f"{verb} the level of {item}{origin}."
    return f"Change the level of {item}{origin} to {after}."


def _unambiguous(before: str | None, after: str) -> tuple[str | None, str]:
    """Return both levels, hyphenated where "from A to B to C" would be split at the wrong "to".

    The parser takes A to B as the level before, unless B to C is the more usual range.
    """
    if before is None:
        return None, after
    hyphenated = before.replace(" ", "-")
    if after in COURSE_REVERSED:  # "increase ... from mild to moderate" would name the new level
        return hyphenated, after
    steps = f"{before} to {after}".split(" to ")
    if len(steps) != 3:
        return before, after
    first, second = level_range(*steps[:2]), level_range(*steps[1:])
    if first is None or second is None or (" to " in before) == (rarity(first) <= rarity(second)):
        return before, after
    return hyphenated, after.replace(" ", "-")


def _enumerate(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
