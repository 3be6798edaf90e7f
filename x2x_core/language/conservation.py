"""Conservation: every finding, side, zone and level of a request is in one of its clauses, or is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .clauses import Clause
from .lexicon import ABSENT, Kind, Token
from .vocabulary import COURSES, FINDINGS

_SIDES = {"bilateral": frozenset(("left", "right"))}


def lost(tokens: Sequence[Token], clauses: Sequence[Clause], reported: Iterable[Token]) -> list[Token]:
    """Return the tokens of a request that are in no clause and not reported.

    Args:
        tokens: of one verb phrase, and of the place before its verb.
        clauses: its clauses.
        reported: tokens that are in no clause, but already reported.
    """
    told = Counter((token.kind, token.text) for token in reported)
    sides = {side for clause in clauses if clause.side for side in _SIDES.get(clause.side, (clause.side,))}
    if not any(FINDINGS[clause.finding].lateral for clause in clauses):
        sides |= {"left", "right"}  # cardiomegaly has no side that could be lost
    known: dict[Kind, set[str | None]] = {
        Kind.FINDING: {clause.finding for clause in clauses},
        Kind.ZONE: {clause.zone for clause in clauses},
        Kind.LEVEL: {level for clause in clauses for level in _levels(clause)},
    }
    missing = [
        token
        for token in tokens
        if (token.kind is Kind.SIDE and not _SIDES.get(token.name, {token.name}) <= sides)
        or (token.kind in known and token.value not in known[token.kind] and not _is_operation(token))
    ]
    left = Counter((token.kind, token.text) for token in missing) - told
    return [token for token in missing if left[token.kind, token.text]]


def _levels(clause: Clause) -> Iterable[str]:
    for level in (clause.level, clause.level_from):
        if level:
            yield from (level, *level.split(" to "))


def _is_operation(token: Token) -> bool:
    """Return True for levels that are the operation itself: "none" removes, "larger" increases."""
    return token.kind is Kind.LEVEL and (token.value == ABSENT or token.value in COURSES)
