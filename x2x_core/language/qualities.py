"""Levels after a finding.

"An effusion of moderate size" is a moderate effusion, and "effusion now moderate, previously small" a change.
"""

from __future__ import annotations

from collections.abc import Sequence

from .clauses import Operation
from .lexicon import ABSENT, Kind, Token, Verb

_QUALITIES = frozenset(("size", "degree", "severity", "extent", "volume", "amount", "grade"))
_STOPS = (Kind.STOP, Kind.SOFT_STOP)
_EARLIER = frozenset(("previously", "formerly", "initially", "originally", "earlier", "prior"))
_NOW = frozenset(("now", "currently"))
_GOVERNING = (Kind.VERB, Kind.KEEP, Kind.NOT, Kind.TO, Kind.FROM)


def mark_qualities(tokens: Sequence[Token]) -> list[Token]:
    """Put "of moderate size" before its finding, and read "was small, now large" as a change between levels."""
    marked: list[Token] = []
    start = 0
    for position, token in enumerate((*tokens, Token(Kind.STOP, ""))):
        if token.kind in _STOPS:
            marked += _as_change(_before_finding(list(tokens[start:position])))
            marked += tokens[position : position + 1]
            start = position + 1
    return marked


def _before_finding(tokens: list[Token]) -> list[Token]:
    for position, token in enumerate(tokens):
        texts = [other.text for other in tokens[position - 1 : position + 2]] if position else []
        if token.kind is not Kind.LEVEL or token.value == ABSENT or len(texts) != 3:
            continue
        if texts[0] != "of" or texts[2] not in _QUALITIES:
            continue
        finding = next((n for n in range(position - 1, -1, -1) if tokens[n].kind is Kind.FINDING), None)
        between = tokens[finding + 1 : position - 1] if finding is not None else []
        if finding is not None and all(other.kind in (Kind.SIDE, Kind.ZONE, Kind.FILLER, Kind.PREPOSITION)
                                       for other in between):  # fmt: skip
            rest = [*tokens[finding : position - 1], *tokens[position + 2 :]]
            return _before_finding([*tokens[:finding], token, *rest])
    return tokens


def _as_change(tokens: list[Token]) -> list[Token]:
    """Read a statement without a verb that names a level of earlier and one of now as "from A to B"."""
    if any(token.kind in _GOVERNING for token in tokens):
        return tokens
    now = _level_after(tokens, _NOW)
    findings = [token for token in tokens if token.kind is Kind.FINDING]
    if now is None or len(findings) != 1:
        return tokens
    earlier = _level_after(tokens, _EARLIER)
    levels = [n for n, token in enumerate(tokens) if token.kind is Kind.LEVEL]
    origin = earlier if earlier is not None else next((n for n in levels if n < now), None)
    if set(levels) - {now, origin}:
        return tokens
    rest = [
        token
        for n, token in enumerate(tokens)
        if n not in (now, origin) and token.text not in (*_NOW, *_EARLIER, ",", "but", "and")
    ]
    before = [Token(Kind.FROM, ""), tokens[origin]] if origin is not None else []
    verb = Token(Kind.VERB, "", Verb(Operation.CHANGE))
    return [verb, *rest, *before, Token(Kind.TO, ""), tokens[now]]


def _level_after(tokens: Sequence[Token], words: frozenset[str]) -> int | None:
    """Return the position of the level that follows one of some words."""
    for position, token in enumerate(tokens):
        if token.text in words:
            following = position + 1
            while following < len(tokens) and tokens[following].kind is Kind.FILLER:
                following += 1
            if following < len(tokens) and tokens[following].kind is Kind.LEVEL:
                return following
    return None
