"""Phrasal verbs: "take the effusion out" means what "take out the effusion" means.

A particle after the object is moved to its verb if the lexicon knows the two together. A verb that is known alone, but
not with the particle that follows it ("drop off the effusion"), can mean anything and is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import Kind, Reason, Token, Verb, lexicon

_PARTICLES = frozenset(["in", "off", "out", "up", "down", "away", "back", "be", "stand"])
_AMBIGUOUS = frozenset(["off", "out", "up", "down", "away", "back"])  # never open a place
_PIECE_ENDS = (Kind.AND, Kind.WITH, Kind.STOP, Kind.SOFT_STOP, Kind.KEEP, Kind.NOT)
_OBJECT = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER, Kind.UNKNOWN)
_AFTER = (*_PIECE_ENDS, Kind.FROM, Kind.TO, Kind.PREPOSITION, Kind.FILLER)


def join_particles(tokens: Sequence[Token]) -> list[Token]:
    """Move particles to their verbs, and turn verbs with unknown particles into unknown words."""
    joined = list(tokens)
    for position, token in enumerate(tokens):
        if token.kind not in (Kind.VERB, Kind.KEEP, Kind.UNKNOWN) and token.text != "let":
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
