"""References: "one", "it" and "them" stand for the finding named before."""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.common.errors import InputError

from .lexicon import Kind, Reason, Token

_ONES = frozenset(("one", "ones", "another", "those"))
_PRONOUNS = frozenset(("it", "them", "these", "those"))
_ATTRIBUTES = (Kind.LEVEL, Kind.SIDE, Kind.ZONE)
_CONTENT = (Kind.FINDING, *_ATTRIBUTES)
_MODALS = frozenset(
    ("should", "must", "shall", "should be", "must be", "ought to", "needs to", "has to", "ought to be")
)
_WHILE = frozenset(("while", "whilst", "whereas"))
_ENDS = (Kind.AND, Kind.WITH, Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP, Kind.NOT)


def resolve_references(tokens: Sequence[Token]) -> list[Token]:
    """Replace "the left one", "one on the right" and "remove it" by the last finding named before."""
    tokens = _with_ones(tokens)
    resolved: list[Token] = []
    last: Token | None = None
    for position, token in enumerate(tokens):
        if token.kind is Kind.FINDING and _is_one_of(tokens, position):
            last = token
            if not any(_refers(tokens, place) for place in range(position + 1, len(tokens))):
                raise InputError(f"`prompt` must say which {token.text} is meant. Name its side, for example.")
            ones = [place for place, other in enumerate(resolved) if other.text in _ONES]
            resolved[ones[-1]] = Token(Kind.FILLER, resolved[ones[-1]].text)
            token = Token(Kind.ASIDE, token.text, reason=Reason.DESCRIPTION)
        elif (token.text == "both" and resolved and resolved[-1].text == "or") or (
            token.text == "one" and _is_number(tokens, position)
        ):  # "edema, effusion or both"
            token = Token(Kind.FILLER, token.text)
        elif token.text == "one" and _is_in_each(tokens, position):  # "nodules, one in each lung"
            resolved = resolved[:-1] if resolved and resolved[-1].text == "," else resolved
            token = Token(Kind.FILLER, token.text)
        elif last and _refers(tokens, position):
            if _describes_again(tokens, position):
                resolved = _without_separators(resolved)
                token = Token(Kind.FILLER, token.text)
            else:
                token = Token(Kind.FINDING, token.text, last.value)
        elif token.kind is Kind.FINDING:
            last = token
        resolved.append(token)
    return resolved


def _with_ones(tokens: Sequence[Token]) -> list[Token]:
    """Return "and the left should shrink" after another wish as "and the left one should shrink"."""
    completed: list[Token] = []
    for position, token in enumerate(tokens):
        completed.append(token)
        before = next((other for other in reversed(tokens[:position]) if other.kind is not Kind.FILLER), None)
        after = tokens[position + 1 : position + 3]
        joined = before is not None and (before.kind is Kind.AND or before.text in _WHILE)
        wished = len(after) == 2 and after[0].text in _MODALS and after[1].kind is Kind.VERB
        if token.kind is Kind.SIDE and joined and wished and _wishes(tokens[:position], after[0].text):
            joint = next(n for n in range(len(completed) - 2, -1, -1) if completed[n].kind is not Kind.FILLER)
            completed[joint] = Token(Kind.SOFT_STOP, completed[joint].text)
            completed.append(Token(Kind.UNKNOWN, "one"))
    return completed


def _wishes(tokens: Sequence[Token], modal: str) -> bool:
    """Return True for "the right effusion should grow": a side, a finding, then the modal."""
    place = next((n for n, token in enumerate(tokens) if token.text == modal), 0)
    kinds = {token.kind for token in tokens[:place]}
    return {Kind.SIDE, Kind.FINDING} <= kinds and Kind.VERB not in kinds


def _is_number(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "one nodule" and "one more small nodule"."""
    between = (Kind.LEVEL, Kind.SIDE, Kind.ZONE)
    following = next((n for n in range(position + 1, len(tokens)) if tokens[n].kind not in between), len(tokens))
    more = following < len(tokens) and tokens[following].text == "more"
    named = tokens[following + more : following + more + 1]
    return bool(named) and named[0].kind is Kind.FINDING and not _begins_with_article(tokens, position)


def _begins_with_article(tokens: Sequence[Token], position: int) -> bool:
    return position > 0 and tokens[position - 1].text in ("the", "a", "another")


def _is_in_each(tokens: Sequence[Token], position: int) -> bool:
    following = tokens[position + 1 : position + 3]
    return len(following) == 2 and following[0].kind is Kind.PREPOSITION and following[1].value == "bilateral"


def _is_target(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "small" in "make the left effusion large and the right one small"."""
    level, end = tokens[position + 1], tokens[position + 2 : position + 3]
    return level.kind is Kind.LEVEL and (not end or end[0].kind in _ENDS)


def _describes_again(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "an effusion, but only a small one", which names the level of the finding before.

    Raises:
        InputError: "and a small one", which could be a second one in another place.
    """
    start = position
    while start and tokens[start - 1].kind not in _ENDS:
        start -= 1
    end = position
    while end + 1 < len(tokens) and tokens[end + 1].kind not in _ENDS:
        end += 1
    kinds = {token.kind for token in tokens[start : end + 1]}
    before = tokens[start - 1] if start else None
    if Kind.LEVEL not in kinds or kinds & {Kind.SIDE, Kind.ZONE} or before is None or before.kind is not Kind.AND:
        return False
    if before.text == "and":
        raise InputError("`prompt` must say where each finding is, got a second one without a side. Name its side.")
    return True


def _without_separators(tokens: list[Token]) -> list[Token]:
    """Drop the separators before the last level, so that it belongs to the finding before."""
    place = len(tokens)
    while place and tokens[place - 1].kind in (Kind.LEVEL, Kind.FILLER):
        place -= 1
    start = place
    while start and tokens[start - 1].kind is Kind.AND:
        start -= 1
    return tokens[:start] + tokens[place:]


def _is_one_of(tokens: Sequence[Token], position: int) -> bool:
    """Return True for the finding in "one of the effusions"."""
    texts = [token.text for token in tokens[:position] if token.text not in ("the", "these", "those", "both")]
    return texts[-2:] == ["one", "of"]


def _refers(tokens: Sequence[Token], position: int) -> bool:
    token = tokens[position]
    before = next((other for other in reversed(tokens[:position]) if other.kind is not Kind.FILLER), None)
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    placed = after is not None and after.kind is Kind.PREPOSITION
    if token.text in _PRONOUNS and not (placed and token.text == "those"):
        direct = position > 0 and tokens[position - 1] is before
        known = token.kind is Kind.FILLER or (token.text == "them" and token.kind is Kind.UNKNOWN)
        return known and direct and before is not None and before.kind is Kind.VERB
    if token.text not in _ONES or (position + 1 < len(tokens) and tokens[position + 1].text == "of"):
        return False
    described = before is not None and (
        before.kind in _ATTRIBUTES or before.kind is Kind.VERB or (placed and before.kind in (Kind.AND, Kind.KEEP))
    )
    follows = after is not None and after.kind in (*_CONTENT, Kind.UNKNOWN) and not _is_target(tokens, position)
    return described and not follows
