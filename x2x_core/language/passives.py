"""Prohibitions behind their finding: "the effusion must not be removed" is "do not remove the effusion"."""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import Kind, Token, Verb

_ENDS = (Kind.AND, Kind.WITH, Kind.STOP, Kind.SOFT_STOP)
_NOUN_PHRASE = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER, Kind.PREPOSITION, Kind.UNKNOWN)
_BETWEEN = (Kind.FILLER, Kind.TO, Kind.UNKNOWN)
_NOT_TEXT = """
    not never cannot shouldn't mustn't won't wouldn't can't couldn't isn't aren't needn't don't doesn't dont
"""
_NOT = frozenset(_NOT_TEXT.split()) | {"do not", "does not"}


def turn_passives(tokens: Sequence[Token]) -> list[Token]:
    """Put a prohibition that follows its noun phrase, and its verb, before the noun phrase."""
    turned = list(tokens)
    position = 0
    while position < len(turned):
        token = turned[position]
        end = _verb_end(turned, position) if token.kind is Kind.KEEP and token.text in _NOT else None
        start = _start(turned, position)
        if end is not None and any(other.kind is Kind.FINDING for other in turned[start:position]):
            verb = [other for other in turned[position + 1 : end] if isinstance(other.value, Verb)]
            before = [Token(Kind.SOFT_STOP, "")] if start else []
            after = [Token(Kind.SOFT_STOP, "")] if turned[end : end + 1] and turned[end].kind is Kind.AND else []
            rest = turned[end + 1 :] if after else turned[end:]
            turned = [*_without_joint(turned[:start]), *before, token, *verb, *turned[start:position], *after]
            position = len(turned)
            turned += rest
        position += 1
    return turned


def _start(tokens: Sequence[Token], position: int) -> int:
    """Return where the noun phrase before a position begins."""
    while position and tokens[position - 1].kind in _NOUN_PHRASE:
        position -= 1
    return position


def _without_joint(tokens: Sequence[Token]) -> list[Token]:
    return list(tokens[:-1]) if tokens and tokens[-1].kind is Kind.AND else list(tokens)


def _verb_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "be removed" after "not", if nothing but a boundary follows; `None` otherwise."""
    end = position + 1
    while end < len(tokens) and (tokens[end].kind in _BETWEEN or isinstance(tokens[end].value, Verb)):
        end += 1
    closed = end == len(tokens) or tokens[end].kind in _ENDS or isinstance(tokens[end].value, Verb)
    return end if closed and end > position + 1 else None
