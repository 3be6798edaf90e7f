"""Levels by comparison: "as large as the right one" names no level, and the other finding is not to be edited."""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError
from x2x_core.language.lexicon import Kind, Token

_LIKE_TEXT = """
    like unlike same equal equals identical similar comparable match matches matching resemble resembles equalize
    equalise symmetric symmetrical symmetrically equally
"""
_LIKE = frozenset(_LIKE_TEXT.split()) | {"look like", "looks like"}
_ENDS = (Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP, Kind.NOT)
_ONES = frozenset(("one", "ones"))


def check_no_likeness(tokens: Sequence[Token]) -> None:
    """Refuse "make the left effusion as large as the right one" and "like the one on the right".

    Raises:
        InputError: a finding that is compared with another one, or with the other side.
    """
    for position, token in enumerate(tokens):
        opens = token.text in _LIKE or _is_equative(tokens, position)
        if not opens or token.kind is Kind.ASIDE or not _names_finding_before(tokens, position):
            continue
        end = position + 1
        while end < len(tokens) and tokens[end].kind not in _ENDS and tokens[end].text != ",":
            end += 1
        rest = tokens[position + 1 : end]
        if any(other.kind in (Kind.SIDE, Kind.FINDING) or other.text in _ONES for other in rest):
            words = " ".join(other.text for other in (token, *rest) if other.text)
            raise InputError(
                f"`prompt` must give a level, not something to compare with, got {words!r}. Write for example: Change "
                "the level of left pleural effusion to large."
            )


def _is_equative(tokens: Sequence[Token], position: int) -> bool:
    """Return True for the first "as" of "as large as", and for the "as" of "as on the right"."""
    if tokens[position].text != "as":
        return False
    following = tokens[position + 1 : position + 2]
    if following and following[0].kind is Kind.PREPOSITION:
        return True
    return any(token.text == "as" for token in tokens[position + 2 : position + 4])


def _names_finding_before(tokens: Sequence[Token], position: int) -> bool:
    for token in reversed(tokens[:position]):
        if token.kind in (Kind.STOP, Kind.SOFT_STOP):
            return False
        if token.kind is Kind.FINDING:
            return True
    return False
