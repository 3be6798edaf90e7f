"""Phrasal verbs: "take the effusion out" means what "take out the effusion" means.

A particle after the object is moved to its verb if the lexicon knows the two together. A verb that is known alone, but
not with the particle that follows it ("drop off the effusion"), can mean anything and is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

from .clauses import Operation
from .lexicon import Kind, Reason, Token, Verb, lexicon

_PARTICLES = frozenset(["in", "off", "out", "up", "down", "away", "back", "be", "stand"])
_AMBIGUOUS = frozenset(["off", "out", "up", "down", "away", "back"])  # never open a place
_PIECE_ENDS = (Kind.AND, Kind.WITH, Kind.STOP, Kind.SOFT_STOP, Kind.KEEP, Kind.NOT)
_OBJECT = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER, Kind.UNKNOWN)
_AFTER = (*_PIECE_ENDS, Kind.FROM, Kind.TO, Kind.PREPOSITION, Kind.FILLER)


def join_particles(tokens: Sequence[Token]) -> list[Token]:
    """Move particles to their verbs, and turn verbs with unknown particles into unknown words."""
    joined = [
        _dropped_in(tokens, position) or _as_sign(tokens, position) or _as_noun(tokens, position) or token
        for position, token in enumerate(tokens)
    ]
    for position, token in enumerate(tokens):
        if token.kind not in (Kind.VERB, Kind.KEEP, Kind.UNKNOWN) and token.text not in ("let", "get"):
            continue
        place = _particle_after(tokens, position)
        if place is None:
            continue
        meaning = lexicon().get((token.text, tokens[place].text))
        if meaning:
            kind, value = meaning[0]
            joined[position] = Token(kind, f"{token.text} {tokens[place].text}", value)
            joined[place] = Token(Kind.FILLER, tokens[place].text)
        elif isinstance(token.value, Verb) and place == position + 1:
            joined[position] = Token(Kind.UNKNOWN, token.text, reason=Reason.UNKNOWN_VERB)
    return joined


def _as_noun(tokens: Sequence[Token], position: int) -> Token | None:
    """Return an unknown noun for "drain" in "put a drain in the effusion"."""
    token, before = tokens[position], tokens[position - 1].text if position else ""
    verb = isinstance(token.value, Verb) and " " not in token.text and not token.text.endswith(("ed", "less"))
    if not verb or before not in ("a", "an", "the", "this", "that"):
        return None
    return Token(Kind.UNKNOWN, token.text, reason=Reason.UNKNOWN)


def _as_sign(tokens: Sequence[Token], position: int) -> Token | None:
    """Return an addition for "+" at the start of a part, as in "+consolidation"."""
    if tokens[position].text != "+" or position + 1 == len(tokens):
        return None
    opens = not position or tokens[position - 1].kind in (Kind.STOP, Kind.SOFT_STOP) or tokens[position - 1].text == ","
    return Token(Kind.VERB, "+", Verb(Operation.ADD)) if opens else None


def _dropped_in(tokens: Sequence[Token], position: int) -> Token | None:
    """Return an addition for "drop a nodule into the upper lobe"; "drop the nodule" removes it."""
    if tokens[position].text != "drop":
        return None
    following = tokens[position + 1].text if position + 1 < len(tokens) else ""
    end = next((n for n in range(position, len(tokens)) if tokens[n].kind in _PIECE_ENDS), len(tokens))
    into = any(token.text in ("into", "onto") for token in tokens[position:end])
    if not into and following not in ("a", "an", "some"):
        return None
    return Token(Kind.VERB, tokens[position].text, Verb(Operation.ADD))


def _particle_after(tokens: Sequence[Token], position: int) -> int | None:
    """Return the position of the particle beside a word or behind its object, `None` without one."""
    texts = [token.text for token in tokens]
    if texts[position + 1 : position + 2] and texts[position + 1] in _AMBIGUOUS:
        return position + 1
    named = False
    for place in range(position + 1, len(tokens)):
        token = tokens[place]
        named = named or token.kind is Kind.FINDING or token.text in ("it", "them")
        if named and token.text in _PARTICLES and (place + 1 == len(tokens) or tokens[place + 1].kind in _AFTER):
            ends = place + 1 == len(tokens) or tokens[place + 1].kind in _PIECE_ENDS
            return place if token.text in _AMBIGUOUS or ends else None
        if token.kind not in _OBJECT:
            return None
    return None
