"""States: "effusion unchanged" leaves the effusion alone, "right lung clear" describes a place without a finding."""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import ABSENT, Kind, Reason, Token, Verb

_BOUNDARIES = (Kind.AND, Kind.WITH, Kind.SOFT_STOP, Kind.STOP)
_PLACES = (Kind.SIDE, Kind.ZONE)
_PAST = frozenset(("was", "were", "got"))
_THERE = frozenset(
    ["persistent", "persisting", "known", "existing", "preexisting", "ongoing", "longstanding", "previous"]
)
_LEAVING = frozenset(("leave", "keep", "retain", "preserve", "spare", "ignore", "skip", "let be", "let alone",
                      "do not touch", "don't touch", "hands off", "leave out"))  # fmt: skip
_CONDITIONS = frozenset(("sharp", "expanded", "aerated", "inflated", "unremarkable", "no", "nothing", "without"))
_NOTHING = frozenset(("nothing else", "nothing more", "no change", "no other change", "no other changes"))
_CLEAR = frozenset(("clear", "clean", "normal", "fine", "free"))


def mark_states(tokens: Sequence[Token]) -> list[Token]:
    """Put the parts of a list that stay as they are behind a `KEEP`, and turn states of a place into asides.

    The verb before such a part is repeated after it, so that the rest of the list keeps it.
    """
    tokens = _with_trailing_states(tokens)
    first = list(tokens[: _end(tokens, 0)])
    kept = _is_kept(first, adds=False) and len(first) < len(tokens)
    marked: list[Token] = [Token(Kind.KEEP, ""), *first, Token(Kind.SOFT_STOP, "")] if kept else []
    verb: Token | None = None
    position = len(first) if kept else 0
    while position < len(tokens):
        token = tokens[position]
        marked.append(token)
        position += 1
        if isinstance(token.value, Verb):
            verb = token
            end = _end(tokens, position)
            if _adds(token) and _wants_unchanged(tokens[position:end]):
                marked[-1:] = [Token(Kind.KEEP, ""), *tokens[position:end]]
                position = end
                if tokens[position : position + 1] and tokens[position].kind in (Kind.AND, Kind.WITH):
                    marked += [Token(Kind.SOFT_STOP, ""), Token(Kind.VERB, "", token.value)]
                    position += 1
                continue
        if token.kind not in _BOUNDARIES:
            continue
        end = _end(tokens, position)
        piece = tokens[position:end]
        if _is_state_of_place(piece) or (_adds(verb) and _is_place_known(piece)):
            marked += [Token(Kind.ASIDE, other.text, reason=Reason.STATE) for other in piece]
            position = end
        elif _is_kept(piece, adds=_adds(verb)):
            marked += [Token(Kind.KEEP, ""), *piece]
            position = end
            if verb and position < len(tokens) and tokens[position].kind in (Kind.AND, Kind.WITH):
                marked.append(Token(Kind.VERB, "", verb.value))
    return marked


def _with_trailing_states(tokens: Sequence[Token]) -> list[Token]:
    """Read ", edema - leave it" and ", edema: no change" behind a request as ", edema unchanged"."""
    joined: list[Token] = []
    said = 0  # end of the state read last
    for position, token in enumerate(tokens):
        if position < said:
            continue
        unchanged = [other.text for other in tokens[position : position + 2]] in (["no", "change"], ["no", "changes"])
        end = position + (2 if unchanged else 1)
        while end < len(tokens) and tokens[end].kind is Kind.FILLER:
            end += 1
        closes = end == len(tokens) or tokens[end].kind in _BOUNDARIES
        leaves = token.kind is Kind.KEEP and token.text in _LEAVING and closes
        states = unchanged and closes
        before = len(joined)
        while before and joined[before - 1].kind in (Kind.AND, Kind.FILLER):
            before -= 1
        last = joined[before - 1] if before else None
        if not (leaves or states) or last is None or last.kind not in (Kind.FINDING, Kind.SIDE, Kind.ZONE, Kind.LEVEL):
            joined.append(token)
            continue
        piece = joined[_piece_start(joined, before) : before]
        inherits = _piece_start(joined, before) > 0 and not any(isinstance(other.value, Verb) for other in piece)
        if inherits and any(other.kind is Kind.FINDING for other in piece):
            joined, said = [*joined[:before], Token(Kind.STATE, token.text)], end
        else:
            joined.append(token)
    return joined


def _piece_start(tokens: Sequence[Token], position: int) -> int:
    while position and tokens[position - 1].kind not in _BOUNDARIES:
        position -= 1
    return position


def _adds(verb: Token | None) -> bool:
    return verb is not None and isinstance(verb.value, Verb) and verb.value.operation.value == "add"


def _end(tokens: Sequence[Token], position: int) -> int:
    while position < len(tokens) and tokens[position].kind not in _BOUNDARIES:
        if isinstance(tokens[position].value, Verb) and tokens[position].text not in _CLEAR:
            break
        if tokens[position].kind in (Kind.KEEP, Kind.NOT):
            break
        position += 1
    return position


def _has(piece: Sequence[Token], *kinds: Kind) -> bool:
    return any(token.kind in kinds for token in piece)


def _is_kept(piece: Sequence[Token], adds: bool) -> bool:
    told = any(token.text in _PAST for token in piece)  # "the edema was treated"
    there = adds and any(token.text in _THERE for token in piece)  # what is there can't be added
    return _has(piece, Kind.FINDING) and (told or there or _has(piece, Kind.STATE))


def _wants_unchanged(piece: Sequence[Token]) -> bool:
    """Return True for "the effusion unchanged" after "I want"."""
    finding = next((n for n, token in enumerate(piece) if token.kind is Kind.FINDING), len(piece))
    states = [token for token in piece[finding:] if token.kind is Kind.STATE]
    return any(not {*token.text.split()} & _CONDITIONS for token in states)


def _is_place_known(piece: Sequence[Token]) -> bool:
    """Return True for "known primary in the right lower lobe"."""
    there = any(token.text in _THERE for token in piece)
    return there and _has(piece, *_PLACES) and not _has(piece, Kind.FINDING, Kind.TO, Kind.FROM)


def _is_state_of_place(piece: Sequence[Token]) -> bool:
    """Return True for a place without a finding, such as "right lung clear" and "nothing on the right"."""
    if not _has(piece, *_PLACES) or _has(piece, Kind.FINDING, Kind.TO, Kind.FROM):
        return False
    if any(token.text in ("one", "ones") for token in piece):  # "only the right one may stay"
        return False
    states = any(
        token.kind is Kind.STATE or token.value == ABSENT or token.text in _CLEAR | _NOTHING for token in piece
    )
    return states and not (piece[0].text in _CLEAR and isinstance(piece[0].value, Verb))
