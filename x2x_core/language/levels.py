"""Levels in the words that a model knows: each is replaced by the known level of the nearest severity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from x2x_core.common.errors import InputError

from .clauses import Clause, check_option
from .vocabulary import COURSES, FINDINGS, LEVELS, is_level, level_rank


def check_levels(name: str, levels: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the levels of each finding, checked, weakest first.

    Args:
        name: of the argument, for the message.
        levels: canonical levels by the canonical name of their finding. Courses are left out.

    Raises:
        InputError: not a mapping of lists, or a name that is not canonical.
    """
    if not isinstance(levels, Mapping):
        raise InputError(f"`{name}` must map findings to lists of levels, got {levels!r:.80}.")
    checked = {}
    for finding, words in levels.items():
        check_option(name, finding, FINDINGS)
        if isinstance(words, str) or not isinstance(words, Sequence):
            raise InputError(f"`{name}` must map {finding} to a list of levels, got {words!r:.80}.")
        for word in words:
            if not isinstance(word, str) or not is_level(word):
                check_option(name, word, LEVELS)
        checked[finding] = sorted({word for word in words if word not in COURSES}, key=level_rank)
    return {finding: words for finding, words in checked.items() if words}


def levels_in(clauses: Iterable[Clause]) -> dict[str, list[str]]:
    """Return the levels that clauses name, by finding, weakest first; findings in alphabetical order."""
    named: dict[str, set[str]] = {}
    for clause in clauses:
        named.setdefault(clause.finding, set()).update(filter(None, (clause.level, clause.level_from)))
    return check_levels("clauses", {finding: sorted(named[finding]) for finding in sorted(named)})


def nearest_level(level: str, known: Sequence[str]) -> str:
    """Return the known level whose severity is nearest to that of `level`; of two equally near ones, the stronger.

    Args:
        level: a canonical level that is not a course.
        known: canonical levels, at least one, none of them a course.
    """
    rank = level_rank(level)
    return min(known, key=lambda other: (abs(level_rank(other) - rank), -level_rank(other)))


def at_known_levels(clauses: Sequence[Clause], known: Mapping[str, Sequence[str]]) -> tuple[Clause, ...]:
    """Return clauses with the levels that a model knows for their findings.

    Clauses stay as they are whose finding is not in `known`, and changes of level whose two ends would become one.

    Args:
        clauses: of an instruction.
        known: levels of each finding, as `check_levels` returns them.
    """
    return tuple(_at_known_levels(clause, known.get(clause.finding, ())) for clause in clauses)


def _at_known_levels(clause: Clause, known: Sequence[str]) -> Clause:
    if not known:
        return clause
    start, end = (
        level if level is None or level in COURSES or level in known else nearest_level(level, known)
        for level in (clause.level_from, clause.level)
    )
    return clause if start and start == end else replace(clause, level_from=start, level=end)
