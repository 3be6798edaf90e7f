"""Words for what is not there: "no", "nothing", "none" and "normal".

As the level of a finding they remove it ("edema to normal", "effusion: none"). Before a noun they describe the patient
("a normal chest film"), and before a place they say that nothing is done there ("nothing on the right").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .lexicon import ABSENT, Kind, Reason, Token, Verb

_ENDS = (Kind.AND, Kind.WITH, Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP, Kind.NOT)
_ARTICLES = frozenset(("a", "an", "the", "this", "that", "my", "his", "her", "their"))
_REACHED = (Kind.TO, Kind.FROM, Kind.VERB)
_PLACES = (Kind.SIDE, Kind.ZONE)
_CLEAR = frozenset(("clear", "cleared"))


def mark_absences(tokens: Sequence[Token]) -> list[Token]:
    """Tell levels ("from no edema to mild edema") from adjectives ("normal", "clear") and places without a finding."""
    marked = list(tokens)
    for position, token in enumerate(tokens):
        origin = token.text == "no" and _is_origin(tokens, position)
        if origin or (token.text == "free" and _follows_finding(tokens, position)):
            marked[position] = Token(Kind.LEVEL, token.text, ABSENT)
        elif (token.text == "normal" and _is_adjective(tokens, position)) or _is_clear_adjective(tokens, position):
            marked[position] = Token(Kind.ASIDE, token.text, reason=Reason.DESCRIPTION)
        elif token.text in ("nothing", "none") and _is_place_left_alone(tokens, position):
            end = _end(tokens, position)
            marked[position:end] = [replace(other, kind=Kind.ASIDE, value=None, reason=Reason.STATE)
                                    for other in tokens[position:end]]  # fmt: skip
    return marked


def _is_origin(tokens: Sequence[Token], position: int) -> bool:
    before = tokens[position - 1] if position else None
    arrow = [token.text for token in tokens[position + 1 :] if token.kind is not Kind.FILLER][1:2] == ["->"]
    if arrow and (before is None or before.kind in (Kind.STOP, Kind.SOFT_STOP, Kind.AND)):
        return True
    changes = before is not None and isinstance(before.value, Verb) and before.value.operation.value == "change"
    if before is None or not (changes or before.kind is Kind.FROM):
        return False
    rest = [token.kind for token in tokens[position + 1 :] if token.kind is not Kind.FILLER]
    replaces = isinstance(before.value, Verb) and before.value.replaces
    if before.kind is Kind.FROM and rest[:1] == [Kind.TO]:  # "from no to moderate effusion"
        return True
    return rest[:1] == [Kind.FINDING] and (rest[1:2] == [Kind.TO] or (replaces and rest[1:2] == [Kind.WITH]))


def _follows_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "effusion-free" at the end of a part."""
    ends = position + 1 == len(tokens) or tokens[position + 1].kind in _ENDS
    return position > 0 and tokens[position - 1].kind is Kind.FINDING and ends


def _is_adjective(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "normal" before a noun, as in "this normal chest film", unless a change ends or begins there."""
    before = tokens[position - 1] if position else None
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    if following is None or following.kind in (*_ENDS, Kind.TO, Kind.FROM) or following.text in ("again", "please"):
        return False
    if before is not None and before.text in _ARTICLES:
        return True
    return before is None or before.kind not in _REACHED


def _is_clear_adjective(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "clear" directly after a verb, as in "add clear fluid"."""
    if tokens[position].text not in _CLEAR or not position:
        return False
    before = position - 1
    while before and tokens[before].text in _ARTICLES:
        before -= 1
    verb = tokens[before].value
    return isinstance(verb, Verb) and not verb.makes and not verb.present


def _is_place_left_alone(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "nothing on the left" in "add nothing on the left, an effusion on the right"."""
    following = tokens[position + 1 : position + 2]
    piece = tokens[position + 1 : _end(tokens, position)]
    opens = position > 0 and isinstance(tokens[position - 1].value, Verb)
    placed = bool(following) and following[0].kind is Kind.PREPOSITION
    silent = (*_PLACES, Kind.PREPOSITION, Kind.FILLER)
    return opens and placed and all(token.kind in silent for token in piece)


def _end(tokens: Sequence[Token], position: int) -> int:
    while position < len(tokens) and tokens[position].kind not in _ENDS:
        position += 1
    return position
