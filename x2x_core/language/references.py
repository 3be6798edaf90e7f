"""References: "one", "it" and "them" stand for the finding named before."""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError

from .lexicon import Kind, Reason, Token

_ONES = frozenset(("one", "ones"))
_PRONOUNS = frozenset(("it", "them", "these", "those"))
_ATTRIBUTES = (Kind.LEVEL, Kind.SIDE, Kind.ZONE)
_CONTENT = (Kind.FINDING, *_ATTRIBUTES)


def resolve_references(tokens: Sequence[Token]) -> list[Token]:
    """Replace "the left one", "one on the right" and "remove it" by the last finding named before."""
    resolved: list[Token] = []
    last: Token | None = None
    for position, token in enumerate(tokens):
        if token.kind is Kind.FINDING and _is_one_of(tokens, position):
            last = token
            if not any(_refers(tokens, place) for place in range(position + 1, len(tokens))):
                raise InputError(f"`prompt` must say which {token.text} is meant. Name its side, for example.")
            token = Token(Kind.ASIDE, token.text, reason=Reason.DESCRIPTION)
        elif last and _refers(tokens, position):
            token = Token(Kind.FINDING, token.text, last.value)
        elif token.kind is Kind.FINDING:
            last = token
        resolved.append(token)
    return resolved


def _is_one_of(tokens: Sequence[Token], position: int) -> bool:
    """Return True for the finding in "one of the effusions"."""
    texts = [token.text for token in tokens[:position] if token.text not in ("the", "these", "those", "both")]
    return texts[-2:] == ["one", "of"]


def _refers(tokens: Sequence[Token], position: int) -> bool:
    token = tokens[position]
    before = next((other for other in reversed(tokens[:position]) if other.kind is not Kind.FILLER), None)
    if token.text in _PRONOUNS:
        direct = position > 0 and tokens[position - 1] is before
        return token.kind is Kind.FILLER and direct and before is not None and before.kind is Kind.VERB
    if token.text not in _ONES or (position + 1 < len(tokens) and tokens[position + 1].text == "of"):
        return False
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    placed = after is not None and after.kind is Kind.PREPOSITION
    described = before is not None and (
        before.kind in _ATTRIBUTES or before.kind is Kind.VERB or (placed and before.kind is Kind.AND)
    )
    follows = after is not None and after.kind in (*_CONTENT, Kind.UNKNOWN)
    return described and not follows
