"""Line ends inside a sentence: text that was wrapped goes on, a list of items does not.

A line goes on if it ends in the middle of a phrase ("on the", "do not"), or if the next one begins with a joint ("and",
"of", "to") or names nothing but the place and the level of the finding before ("Add a nodule", then "in the right upper
lobe"). A line that begins a request of its own, or that names a finding of its own, does not go on.
"""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import ABSENT, Kind, Token, Verb

_OPEN = (Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.FILLER, Kind.FROM, Kind.TO, Kind.PREPOSITION)
_GOVERNING = (Kind.PREPOSITION, Kind.FROM, Kind.TO, Kind.KEEP, Kind.NOT)  # never end a line
_ARTICLES = frozenset(("a", "an", "the", "of"))
_JOINTS = frozenset(("and", "or", "nor", "as well as", "of", "with"))  # never begin a request
_CONTINUED = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE)
_MODALS = frozenset(("be", "must be", "needs to be", "has to be", "should", "must", "will"))
_PLACES = (Kind.SIDE, Kind.ZONE)
_ATTRIBUTES = (*_OPEN, Kind.AND)
_STOPS = (Kind.STOP, Kind.SOFT_STOP)


def join_wrapped_lines(tokens: Sequence[Token]) -> list[Token]:
    """Drop the line ends inside sentences."""
    joined: list[Token] = []
    for position, token in enumerate(tokens):
        if token.text == "\n" and joined:
            following = [other for other in tokens[position:] if other.text != "\n"][:1]
            if joined[-1].text == "\n" or not following or _continues(joined, tokens[position + 1 :]):
                continue
        joined.append(token)
    return joined


def _continues(tokens: Sequence[Token], rest: Sequence[Token]) -> bool:
    line = _line(rest)
    following, last = line[0], tokens[-1]
    if following.kind is Kind.TO or last.text in _ARTICLES or last.kind in _GOVERNING or following.text in _JOINTS:
        return True
    if isinstance(following.value, Verb):
        return False
    sentence: list[Token] = []
    for token in reversed(tokens):
        if token.kind in _STOPS:
            break
        sentence.append(token)
    named = any(token.kind is Kind.FINDING for token in sentence)
    passive = isinstance(last.value, Verb) and named and len(sentence) > 1 and sentence[1].text in _MODALS
    if passive and any(token.kind is Kind.FINDING for token in line):
        return False  # "an effusion should be added", then "edema"
    if (isinstance(last.value, Verb) and not last.value.present) or last.text in _JOINTS:
        return True
    if last.kind in _OPEN and following.kind in _CONTINUED and not named:
        return True
    requested = named and any(isinstance(token.value, Verb) for token in sentence)
    goes_on = (_is_attribute(line) and not _heads_request(line, rest)) or _opens_with_place(line)
    return requested and goes_on and not _has_two_sides(sentence, line)


def _heads_request(line: Sequence[Token], rest: Sequence[Token]) -> bool:
    """Return True for "Left:" before a line that begins with a verb, which could be a heading."""
    opens = line[0].kind in (*_PLACES, Kind.PREPOSITION)
    following = next((token for token in rest[len(line) :] if token.text != "\n"), None)
    return opens and following is not None and isinstance(following.value, Verb)


def _line(rest: Sequence[Token]) -> list[Token]:
    """Return the tokens of the next line up to its end or its first stop."""
    start = next(n for n, token in enumerate(rest) if token.text != "\n")
    end = next((n for n in range(start, len(rest)) if rest[n].kind in _STOPS), len(rest))
    return list(rest[start : max(end, start + 1)])


def _has_two_sides(sentence: Sequence[Token], line: Sequence[Token]) -> bool:
    return all(any(token.kind is Kind.SIDE for token in part) for part in (sentence, line))


def _is_attribute(line: Sequence[Token]) -> bool:
    """Return True for "right lower lobe" and "side of the image": words of a place or a level alone."""
    return all(token.kind in _ATTRIBUTES and token.value != ABSENT for token in line)


def _opens_with_place(line: Sequence[Token]) -> bool:
    """Return True for "on the right and edema" and "in the left base from mild to severe"."""
    end = next((n for n, token in enumerate(line) if token.kind not in (*_PLACES, Kind.PREPOSITION, Kind.FILLER)), 0)
    placed = line[0].kind is Kind.PREPOSITION and any(token.kind in _PLACES for token in line[:end])
    goes_on = line[end].kind in (Kind.FROM, Kind.TO, Kind.AND)
    requests = line[end].text == "," and any(isinstance(token.value, Verb) for token in line[end:])
    return placed and goes_on and not requests
