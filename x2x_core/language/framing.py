"""Framing of a request: "edit this image so that ..." says nothing of the finding, and what follows is the request."""

from __future__ import annotations

from collections.abc import Sequence

from .clauses import Operation
from .lexicon import Kind, Token, Verb

_EDITS = frozenset(("edit", "modify", "change", "alter", "adjust", "update", "transform", "tweak", "make", "turn",
    "render",
                    "create", "generate", "produce", "show", "give"))  # fmt: skip
_SO = frozenset(("so", "such"))
_SHOWN = frozenset(("shows", "has", "contains", "displays", "demonstrates", "have", "show"))
_STOPS = (Kind.STOP, Kind.SOFT_STOP)


def unframe(tokens: Sequence[Token]) -> list[Token]:
    """Drop "edit the image so that" before a request, and read "it shows" after it as an addition."""
    for position, token in enumerate(tokens):
        if token.text in _EDITS and isinstance(token.value, Verb) and (end := _frame_end(tokens, position)):
            return [*tokens[:position], *_request(list(tokens[end:]))]
    return list(tokens)


def _frame_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "so that" after a verb with nothing but function words between; `None` without it."""
    end = position + 1
    while end < len(tokens) and tokens[end].kind in (Kind.FILLER, Kind.UNKNOWN) and tokens[end].text not in _SO:
        end += 1
    if [token.text for token in tokens[end : end + 2]] == ["in", "which"]:
        return end + 2
    if end >= len(tokens) or tokens[end].text not in _SO:
        return None
    end += 1
    return end + 1 if end < len(tokens) and tokens[end].text in ("that", "as") else end


def _request(tokens: list[Token]) -> list[Token]:
    end = next((n for n, token in enumerate(tokens) if token.kind in _STOPS), len(tokens))
    finding = next((n for n in range(end) if tokens[n].kind is Kind.FINDING), end)
    if any(isinstance(token.value, Verb) for token in tokens[:end]):
        return tokens
    shown = next((n for n in range(finding) if tokens[n].text in (*_SHOWN, "there")), None)
    if shown is None:
        return tokens
    negated = any(token.kind in (Kind.NOT, Kind.KEEP) for token in tokens[shown:finding])
    verb = Token(Kind.FILLER if negated else Kind.VERB, tokens[shown].text, None if negated else Verb(Operation.ADD))
    return [*tokens[:shown], verb, *tokens[shown + 1 :]]
