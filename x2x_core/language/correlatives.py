"""Correlatives: "not only edema but also effusion" names both, and neither is left alone."""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import Kind, Token

_ONLY = frozenset(("only", "just", "merely", "solely", "simply", "alone"))
_STOPS = (Kind.STOP, Kind.SOFT_STOP)


def join_correlatives(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with "not only" before "but" in the same sentence as function words."""
    joined = list(tokens)
    for position, token in enumerate(tokens[:-1]):
        if token.text != "not" or tokens[position + 1].text not in _ONLY:
            continue
        end = next((n for n in range(position, len(tokens)) if tokens[n].kind in _STOPS), len(tokens))
        but = next((n for n in range(position, end) if tokens[n].text == "but"), None)
        named = but is not None and any(other.kind is Kind.FINDING for other in tokens[position:but])
        if but is not None and named:
            joined[position] = Token(Kind.FILLER, token.text)
            joined[but] = Token(Kind.AND, "and")
    return joined
