"""Comparisons of two sides: "left greater than right" tells where there is more of a finding, not a side or a change.

A comparison of both sides makes the finding bilateral. "More on the left" after "bilateral", and anything after "than",
is a description that requests nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .lexicon import Kind, Reason, Token, Verb
from .vocabulary import COURSES

_MORE = frozenset([">", "<", "more", "less", "mainly", "mostly", "predominantly", "especially", "particularly"])
_ONE_SIDED = frozenset(["mainly", "mostly", "predominantly", "especially", "particularly", ">", "<"])
_ADVERBS = frozenset(
    ["much", "slightly", "far", "a", "bit", "little", "somewhat", "clearly", "being", "side", "is", "lung"]
)
_ENDS = (Kind.AND, Kind.WITH, Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP, Kind.NOT)


def mark_comparisons(tokens: Sequence[Token]) -> list[Token]:
    """Turn comparisons into asides, and those of the two sides into "bilateral"."""
    marked = list(tokens)
    for position, token in enumerate(tokens):
        if not _is_comparative(token) or _names_finding_after(tokens, position):
            continue
        first = _skip(tokens, position - 1, -1, _ADVERBS)
        if sides_end := _both_sides_after(tokens, position):
            _set_aside(marked, first + 1, sides_end)
            if not _bilateral_before(tokens, first + 1):
                marked[sides_end] = replace(tokens[sides_end], kind=Kind.SIDE, value="bilateral")
            else:
                _set_aside(marked, sides_end, sides_end + 1)
            continue
        last = _skip(tokens, position + 1, 1, {"than", "the", "on", "in"})
        sides = [_side_at(tokens, place) for place in (first, last)]
        if all(sides) and not _changes(tokens[:position]):
            _set_aside(marked, first, last + 1)
            if not _bilateral_before(tokens, first):
                marked[first] = replace(tokens[first], kind=Kind.SIDE, value="bilateral")
        elif _side_at(tokens, first) and _bilateral_before(tokens, first) and not _names_after(tokens, position):
            _set_aside(marked, first, position + 1)  # "bilateral effusions, the left being larger"
        elif _side_at(tokens, last) and _bilateral_before(tokens, position):
            _set_aside(marked, max(first + 1, 0), last + 1)
        elif _is_greater_on_one_side(tokens, position, last):
            _set_aside(marked, first + 1, last)
            marked[last] = replace(tokens[last], kind=Kind.SIDE, value="bilateral")
        elif position + 1 < len(tokens) and tokens[position + 1].text == "than":
            start = position + 1 if _changes(tokens[:position]) else position
            _set_aside(marked, start, _end(tokens, position + 1))
    return marked


def _names_after(tokens: Sequence[Token], position: int) -> bool:
    """Return True if a finding follows in the same part."""
    return any(token.kind is Kind.FINDING for token in tokens[position : _end(tokens, position)])


def _both_sides_after(tokens: Sequence[Token], position: int) -> int | None:
    """Return the position of the second side of "greater on the left than on the right" after what is added."""
    first = _skip(tokens, position + 1, 1, {"on", "in", "the"})
    than = _skip(tokens, first + 1, 1, {"side", "lung"})
    last = _skip(tokens, than + 1, 1, {"on", "in", "the"})
    named = than < len(tokens) and tokens[than].text == "than" and _side_at(tokens, first) and _side_at(tokens, last)
    return last if named and not _changes(tokens[:position]) else None


def _is_greater_on_one_side(tokens: Sequence[Token], position: int, last: int) -> bool:
    """Return True for "greater on the left" after an added finding without a side: there is some on the right, too."""
    between = [token.text for token in tokens[position + 1 : last]]
    if between != ["on", "the"] or not _side_at(tokens, last) or tokens[position].text in _ONE_SIDED:
        return False
    if _changes(tokens[:position]):
        return False
    for token in reversed(tokens[:position]):
        if token.kind in (Kind.SIDE, Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP, Kind.NOT):
            return False
        if token.kind is Kind.FINDING:
            return True
    return False


def _is_comparative(token: Token) -> bool:
    return token.text in _MORE or (token.kind is Kind.LEVEL and token.value in COURSES and token.value != "acute")


def _names_finding_after(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "increasing left effusion": the comparative belongs to a finding of its own."""
    attributes = (Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER, Kind.PREPOSITION)
    return next((token.kind for token in tokens[position + 1 :] if token.kind not in attributes), None) is Kind.FINDING


def _skip(tokens: Sequence[Token], position: int, step: int, words: set[str] | frozenset[str]) -> int:
    while 0 <= position < len(tokens) and tokens[position].text in words:
        position += step
    return position


def _side_at(tokens: Sequence[Token], position: int) -> bool:
    return 0 <= position < len(tokens) and tokens[position].kind is Kind.SIDE and tokens[position].value != "bilateral"


def _bilateral_before(tokens: Sequence[Token], position: int) -> bool:
    for token in reversed(tokens[:position]):
        if token.kind in (Kind.STOP, Kind.SOFT_STOP, Kind.VERB):
            return False
        if token.kind is Kind.SIDE and token.value == "bilateral":
            return True
    return False


def _changes(tokens: Sequence[Token]) -> bool:
    """Return True if the last verb makes or changes something, so that a comparative is its target."""
    verb = next((token.value for token in reversed(tokens) if isinstance(token.value, Verb)), None)
    return verb is not None and (verb.makes or verb.operation.value == "change")


def _end(tokens: Sequence[Token], position: int) -> int:
    while position < len(tokens) and tokens[position].kind not in _ENDS:
        position += 1
    return position


def _set_aside(tokens: list[Token], start: int, end: int) -> None:
    for position in range(start, end):
        tokens[position] = Token(Kind.ASIDE, tokens[position].text, reason=Reason.COMPARISON)
