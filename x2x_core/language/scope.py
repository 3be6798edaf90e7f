"""Scope of a side at the end of a list: "effusion and consolidation on the right" puts both on the right.

An article begins a new item, so that in "edema and an effusion on the right" the side is the effusion's alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .lexicon import Kind, Token
from .vocabulary import FINDINGS

_ENDS = (Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP, Kind.NOT)
_ARTICLES = frozenset(("a", "an", "the"))
_PLACES = (Kind.SIDE, Kind.ZONE)


def share_sides(tokens: Sequence[Token]) -> list[Token]:
    """Repeat a side that ends a list before each of its findings."""
    shared: list[Token] = []
    for phrase in _phrases(_without_correlatives(tokens)):
        tail = _tail(phrase)
        if tail is None:
            shared += phrase
            continue
        side = phrase[-1] if phrase[-1].kind is Kind.SIDE else phrase[-2]
        for token in phrase[:tail]:
            if token.kind is Kind.FINDING and FINDINGS[token.name].lateral:
                shared.append(Token(Kind.SIDE, "", side.value))
            shared.append(token)
        shared += [Token(Kind.FILLER, token.text) for token in phrase[tail:]]
    return shared


def _without_correlatives(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with "both" of "both effusion and edema" as a function word."""
    return [
        Token(Kind.FILLER, token.text) if token.text == "both" and _is_correlative(tokens[position + 1 :]) else token
        for position, token in enumerate(tokens)
    ]


def _is_correlative(following: Sequence[Token]) -> bool:
    content = [token for token in following if token.kind not in (Kind.FILLER, Kind.LEVEL)][:3]
    kinds = [token.kind for token in content]
    return kinds == [Kind.FINDING, Kind.AND, Kind.FINDING] and not content[0].text.endswith("s")


def _phrases(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    phrase: list[Token] = []
    for token in tokens:
        if token.kind in _ENDS:
            yield phrase
            phrase = []
            yield [token]
        else:
            phrase.append(token)
    yield phrase


def _tail(phrase: Sequence[Token]) -> int | None:
    """Return where "on the right" or ", both on the right" begins at the end of a list of findings without places."""
    texts = [token.text for token in phrase]
    end = len(phrase) - (1 if texts[-1:] == ["side"] else 0)
    if end < 4 or phrase[end - 1].kind is not Kind.SIDE or texts[end - 2] != "the" or texts[end - 3] != "on":
        return None
    start = end - 3
    both = texts[start - 1] == "both"
    start -= both
    start -= both and texts[start - 1] == ","
    before = phrase[:start]
    findings = [position for position, token in enumerate(before) if token.kind is Kind.FINDING]
    if len(findings) < 2 or any(token.kind in _PLACES for token in before) or findings[-1] != len(before) - 1:
        return None
    between = texts[findings[-2] + 1 : findings[-1]]
    return start if both or not _ARTICLES & set(between) else None
