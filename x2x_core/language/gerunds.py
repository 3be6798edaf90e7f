"""Verbs in "-ing" behind another request: "remove edema whilst introducing pneumonia" adds the pneumonia.

Behind "and", a comma, "by", "whilst" and "thereby", the gerund of a known verb opens a request of its own. Any other
word in "-ing" there is no request, and what follows it does not inherit the verb before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .lexicon import Kind, Reason, Token, Verb, lexicon
from .opening_verbs import opening_verbs
from .unknown_words import DESCRIPTORS

_JOINTS = frozenset(("while", "whilst", "thereby", "whereby", "thus", "hence", "simultaneously",
                     "concurrently", "meanwhile", "by", "through", "subsequently"))  # fmt: skip
_ADVERBS = frozenset(("also", "then", "now", "instead", "newly", "simultaneously", "at", "same", "time", "the"))
# Gerunds of what one finding does to another.
_DESCRIBING = frozenset(("hiding", "concealing", "masking", "simulating", "mimicking", "imitating",
                         "showing", "displaying", "demonstrating", "depicting", "overlapping",
                         "picturing", "modeling", "modelling", "causing", "provoking", "triggering"))  # fmt: skip
_ADJECTIVES = DESCRIPTORS | {
    "underlying", "overlying", "surrounding", "ongoing", "persisting", "remaining", "spreading", "evolving",
    "coexisting", "accompanying", "neighbouring", "neighboring", "missing", "dependent", "developing", "branching",
    "cavitating", "enhancing", "lasting", "longstanding", "preexisting", "beginning", "lying", "during", "following",
    "using",
}  # fmt: skip
_NOUN_PHRASE = (Kind.FILLER, Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.UNKNOWN)
_WITHIN = (*_NOUN_PHRASE, Kind.PREPOSITION)
_STOPS = (Kind.STOP, Kind.SOFT_STOP)


def read_gerunds(tokens: Sequence[Token]) -> list[Token]:
    """Read gerunds behind another request as verbs, or set them and what follows them aside."""
    read = list(tokens)
    requested = False
    for position, token in enumerate(tokens):
        requested = (requested or isinstance(token.value, Verb)) and token.kind is not Kind.STOP
        if not requested or not _is_gerund(token) or (joint := _joint(read, position)) is None:
            continue
        end = _end(tokens, position + 1)
        if token.text == "including":
            while end < len(tokens) and tokens[end - 1].kind is not Kind.FINDING and tokens[end].kind in _WITHIN:
                end += 1
            read[position:end] = _included(tokens[position:end])
            continue
        if not any(other.kind is Kind.FINDING for other in tokens[position + 1 : end]):
            continue
        listed = tokens[joint].kind is Kind.AND and read[position - 1].kind is Kind.AND
        verb = None if token.text in _DESCRIBING else _verb_of(token.text)
        if token.kind is Kind.LEVEL and listed:
            continue  # "edema and increasing effusion"
        if verb is not None:
            read[joint:position] = _as_joint(tokens[joint:position])
            read[position] = Token(Kind.VERB, token.text, verb)
        elif not listed or token.text not in _ADJECTIVES:
            read[joint:position] = _as_joint(tokens[joint:position])
            read[position:end] = [
                Token(Kind.ASIDE, other.text, reason=Reason.UNKNOWN_VERB) for other in tokens[position:end]
            ]
    return read


def _included(words: Sequence[Token]) -> list[Token]:
    """Return "including edema" as ", edema", and "including the one on the left" as an aside."""
    if words[-1].kind is Kind.FINDING:
        return [Token(Kind.FILLER, words[0].text), *words[1:]]
    return [Token(Kind.ASIDE, word.text, reason=Reason.DESCRIPTION) for word in words]


def _as_joint(words: Sequence[Token]) -> list[Token]:
    """Return ", thereby" as one separator; a stop stays one."""
    first = [word if word.kind in _STOPS else Token(Kind.AND, word.text) for word in words[:1]]
    return [*first, *(Token(Kind.FILLER, word.text) for word in words[1:])]


def _is_gerund(token: Token) -> bool:
    return token.kind in (Kind.UNKNOWN, Kind.LEVEL) and token.text.endswith("ing") and len(token.text) > 4


def _joint(tokens: Sequence[Token], position: int) -> int | None:
    """Return the first of the words that join a gerund to the request before; `None` without any."""
    joint = position
    while joint and (tokens[joint - 1].kind is Kind.AND or tokens[joint - 1].text in _JOINTS | _ADVERBS):
        joint -= 1
    joined = any(token.kind is Kind.AND or token.text in _JOINTS for token in tokens[joint:position])
    opens = joint == position and position > 0 and tokens[position - 1].kind is Kind.SOFT_STOP
    return joint if joined else position - 1 if opens else None


def _end(tokens: Sequence[Token], position: int) -> int:
    while position < len(tokens) and tokens[position].kind in _NOUN_PHRASE:
        position += 1
    return position + (position < len(tokens) and tokens[position].kind is Kind.FINDING)


def _verb_of(gerund: str) -> Verb | None:
    """Return the verb that a gerund is a form of: "inserting", "introducing", "dropping"."""
    for word in _stems(gerund):
        (kind, value), *_ = lexicon().get((word,), ((Kind.UNKNOWN, None),))
        if kind is Kind.VERB and isinstance(value, Verb):
            return value
        if word in opening_verbs():
            return opening_verbs()[word]
    return None


def _stems(gerund: str) -> Iterator[str]:
    stem = gerund.removesuffix("ing")
    yield from (stem, stem + "e")
    if stem[-1:] == stem[-2:-1]:
        yield stem[:-1]
