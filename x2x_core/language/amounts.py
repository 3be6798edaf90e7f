"""Amounts: "by half", "by 20 %", "some of the effusion".

Levels have no amounts, so a change by an amount is a change, and the amount is reported. A part of a finding that is
removed makes it smaller. Parts of the lungs ("the upper half") are zones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .clauses import Operation
from .lexicon import Kind, Reason, Token, Verb

_FRACTIONS = frozenset(("half", "third", "thirds", "quarter", "quarters", "fifth", "two", "three", "one", "a",
    "percent",
                        "notch", "notches", "step", "steps", "grade", "grades", "level", "levels", "lot", "bit",
                        "factor", "of", "size", "pct", "approximately", "about", "roughly", "around", "cm", "mm", "ml",
                        "cc", "the", "its", "original"))  # fmt: skip
_OPENINGS = frozenset(("by", "in"))
_UNITS = frozenset(("percent", "pct", "half", "third", "thirds", "quarter", "quarters", "notch", "notches", "step",
    "steps",
                    "grade", "grades", "level", "levels", "lot", "bit", "factor", "cm", "mm", "ml", "cc"))  # fmt: skip
_NUMBERS = frozenset(("one", "two", "three", "a"))
_STEPS = frozenset(("grade", "grades", "level", "levels", "step", "steps", "notch", "notches"))
_TIMES = frozenset(("twice", "double", "triple", "thrice", "threefold", "twofold"))
_SOME = frozenset(("some", "part", "most", "much", "half", "portion", "lot", "bit", "third", "quarter", "percent"))
_PARTS = frozenset(("a bit of", "a little bit of", "a fair amount of", "a great deal of", "a lot of"))
_DEGREES = frozenset(("a bit", "bit", "much", "way", "far", "even", "slightly", "little", "a little", "lot"))
_LIKE = frozenset(("big", "large", "small", "severe", "dense", "extensive", "wide"))
_SIZES = frozenset(("size", "amount", "volume", "extent", "severity"))
_PARTED = (Kind.FILLER, Kind.SIDE, Kind.ZONE, Kind.LEVEL, Kind.UNKNOWN)


def mark_amounts(tokens: Sequence[Token]) -> list[Token]:
    """Turn amounts into asides, removals of a part into decreases, and "half" of a zone into a function word."""
    tokens = _read_more(_without_degrees(tokens))
    marked = list(tokens)
    for position, token in enumerate(tokens):
        if token.text in ("half", "halves") and position and _is_part_of_lung(tokens, position):
            marked[position] = Token(Kind.FILLER, token.text)
        elif token.kind is Kind.LEVEL and _is_degree(token) and _is_course(tokens[position + 1 : position + 2]):
            _set_aside(marked, position, position + 1)
        elif token.text in _OPENINGS and (end := _amount_end(tokens, position)):
            _set_aside(marked, position, end)
        elif position and (token.text in _NUMBERS or _is_number(token.text)) and _is_step(tokens, position):
            _set_aside(marked, position, position + 2)
        elif token.text in (*_TIMES, "half") and (end := _ratio_end(tokens, position)):
            course = "decreasing" if token.text == "half" else "increasing"
            _set_aside(marked, position, end)
            marked[end - 1] = Token(Kind.LEVEL, tokens[end - 1].text, course)
        elif token.value == Verb(Operation.REMOVE) and (end := _part_end(tokens, position)):
            marked[position] = replace(token, value=Verb(Operation.CHANGE, "decreasing"))
            _set_aside(marked, position + 1, end)
    return marked


def _without_degrees(tokens: Sequence[Token]) -> list[Token]:
    """Turn "slightly" of "slightly more edema" into an aside."""
    return [
        Token(Kind.ASIDE, token.text, reason=Reason.AMOUNT)
        if token.kind is Kind.LEVEL and _is_degree(token) and [t.text for t in tokens[n + 1 : n + 2]] == ["more"]
        else token
        for n, token in enumerate(tokens)
    ]


def _read_more(tokens: Sequence[Token]) -> list[Token]:
    """Read "more edema" and "add more edema" as an increase."""
    read = list(tokens)
    increase = Verb(Operation.CHANGE, "increasing")
    for position, token in enumerate(tokens):
        if token.text != "more" or token.kind is not Kind.UNKNOWN or not _names_finding(tokens[position + 1 :]):
            continue
        before = position - 1
        while before >= 0 and (tokens[before].kind in (Kind.FILLER, Kind.ASIDE) or tokens[before].text in _DEGREES):
            before -= 1
        opening = tokens[before] if before >= 0 else Token(Kind.STOP, "")
        adds = isinstance(opening.value, Verb) and opening.value.operation is Operation.ADD
        if adds:
            read[before] = Token(Kind.VERB, opening.text, increase)
            read[position] = Token(Kind.FILLER, token.text)
        elif opening.kind in (Kind.STOP, Kind.SOFT_STOP, Kind.AND, Kind.WITH) and opening.text != "or":
            read[position] = Token(Kind.VERB, token.text, increase)
    return read


def _names_finding(tokens: Sequence[Token]) -> bool:
    attributes = (Kind.SIDE, Kind.ZONE, Kind.FILLER)
    return next((token.kind for token in tokens if token.kind not in attributes), None) is Kind.FINDING


def _is_degree(token: Token) -> bool:
    return token.text.endswith("ly") or token.text in ("a little", "little", "slight")


def _is_course(tokens: Sequence[Token]) -> bool:
    """Return True for "larger" after "slightly"."""
    return any(
        (token.kind is Kind.LEVEL and token.value in ("increasing", "decreasing")) or token.text in ("more", "less")
        for token in tokens
    )


def _is_part_of_lung(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "upper half" and for "left half of the chest"; of the picture, see `picture_sides`."""
    return tokens[position - 1].kind in (Kind.ZONE, Kind.SIDE)


def _amount_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "by half", "by about 20 percent", "in half"; `None` if no amount begins at a position."""
    end = position + 1
    while end < len(tokens) and (tokens[end].text in _FRACTIONS or _is_number(tokens[end].text)):
        end += 1
    words = [token.text for token in tokens[position + 1 : end]]
    named = any(word in _UNITS or _is_number(word) for word in words)
    if tokens[position].text == "in":
        return end if words[:1] == ["half"] else None
    return end if named else None


def _is_step(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "one grade" in "increase the edema one grade"."""
    return position + 1 < len(tokens) and tokens[position + 1].text in _STEPS


def _ratio_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "twice as big", "half as large" and "twice the size"."""
    texts = [token.text for token in tokens[position + 1 : position + 3]]
    if len(texts) < 2:
        return None
    compared = [token.text for token in tokens[position + 3 : position + 4]] == ["of"]
    sized = texts[0] in ("the", "its") and texts[1] in _SIZES and not compared
    return position + 3 if sized or (texts[0] == "as" and texts[1] in _LIKE) else None


def _part_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "some of", "50 percent of" and "half of" between a removal and its finding."""
    if tokens[position + 1 : position + 2] and tokens[position + 1].text in _PARTS:
        return position + 2
    words = [token.text for token in tokens[position + 1 : position + 5]]
    place = next(
        (
            n
            for n, word in enumerate(words)
            if word not in ("a", "the", "only", "just", "about", "large", "little", "a little")
        ),
        0,
    )
    number = place < len(words) and _is_number(words[place])
    if place >= len(words) or not (words[place] in _SOME or number):
        return None
    end = position + 1 + place + 1
    if number and end < len(tokens) and tokens[end].text in _SOME:
        end += 1
    if end >= len(tokens) or tokens[end].text != "of":
        return None
    following = next((token.kind for token in tokens[end:] if token.kind not in _PARTED), None)
    return end + 1 if following is Kind.FINDING else None


def _is_number(text: str) -> bool:
    return text[:1].isdigit()


def _set_aside(tokens: list[Token], start: int, end: int) -> None:
    for position in range(start, end):
        tokens[position] = Token(Kind.ASIDE, tokens[position].text, reason=Reason.AMOUNT)
