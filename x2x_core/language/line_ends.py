"""Line ends inside a phrase: text that was wrapped goes on, a list of items does not."""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import Kind, Token

_OPEN = (Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER, Kind.FROM, Kind.TO, Kind.PREPOSITION)
_GOVERNING = (Kind.PREPOSITION, Kind.FROM, Kind.TO)  # never end a line
_ARTICLES = frozenset(("a", "an", "the"))
_CONTINUED = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE)


def join_wrapped_lines(tokens: Sequence[Token]) -> list[Token]:
    """Drop line ends before "to", after "the" or "on", and between the attributes of a finding and the finding."""
    joined: list[Token] = []
    for position, token in enumerate(tokens):
        if token.text == "\n" and joined:
            following = next((other for other in tokens[position:] if other.text != "\n"), None)
            if joined[-1].text == "\n" or following is None or _continues(joined, following):
                continue
        joined.append(token)
    return joined


def _continues(tokens: Sequence[Token], following: Token) -> bool:
    if following.kind is Kind.TO or tokens[-1].text in _ARTICLES or tokens[-1].kind in _GOVERNING:
        return True
    sentence: list[Token] = []
    for token in reversed(tokens):
        if token.kind in (Kind.STOP, Kind.SOFT_STOP):
            break
        sentence.append(token)
    named = any(token.kind is Kind.FINDING for token in sentence)
    return tokens[-1].kind in _OPEN and following.kind in _CONTINUED and not named
