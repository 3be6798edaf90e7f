"""The words of the instruction language: a text cut into tokens, each the longest phrase known at its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .lexicon import Kind, Token, lexicon
from .picture_sides import patients_sides
from .vocabulary import LEVEL_NAMES, SIDE_NAMES, is_level, match_finding

Span = tuple[int, int]


_LONGEST = 6  # words of the longest phrase in the lexicon
_WORD = re.compile(r"3\+|\d+\.\d+|\w+(?:['’]\w+)*(?:[-‐–/]\w+(?:['’]\w+)*)*|->|[,;.!?&+|=<>→\n]")

_ABBREVIATIONS = frozenset(("l", "r", "lt", "rt", "bilat", "sm", "mod", "lg", "approx", "resp"))  # before a full stop
_MARKS = {"->": "to", "→": "to", "|": ","}  # marks that stand for a word


def read(text: str) -> list[Token]:
    """The tokens of a text, in order; every word of it is in one of them."""
    return [token for token, _ in read_places(text)]


def read_places(text: str) -> list[tuple[Token, Span]]:
    """The tokens of a text, in order, and the characters `(start, end)` of the phrase that each is read from."""
    placed = list(_words(text))
    words = [word for word, _ in placed]
    tokens: list[tuple[Token, Span]] = []
    position = 0
    while position < len(words):
        found, length = _longest(words, position)
        span = placed[position][1][0], placed[position + length - 1][1][1]
        tokens += [(token, span) for token in found]
        position += length
    sides = patients_sides([token for token, _ in tokens])
    return [(token, span) for token, (_, span) in zip(sides, tokens, strict=True)]


def _words(text: str) -> Iterator[tuple[str, Span]]:
    """Words in lower case and the marks that matter, with their characters; a range with hyphens is one word."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters become two, which would move all that follow
        lowered = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
    for match in _WORD.finditer(lowered.replace("’", "'")):
        if match.group() in _MARKS:
            yield _MARKS[match.group()], match.span()
            continue
        if match.group() == "." and lowered[: match.start()].split(" ")[-1] in _ABBREVIATIONS:
            continue
        parts = re.split(r"[-‐–/]", match.group())
        level = " ".join(parts)
        level = LEVEL_NAMES.get(level, level)
        if " to " in level and is_level(level):
            yield level, match.span()
        else:
            for part in re.finditer(r"/|[^-‐–/]+", match.group()):
                yield part.group(), (match.start() + part.start(), match.start() + part.end())


def _longest(words: list[str], start: int) -> tuple[list[Token], int]:
    """The longest phrase that begins at a word, as tokens, and the number of its words."""
    name, length = match_finding(words, start, SIDE_NAMES)
    if any(match_finding(words, start + inner, SIDE_NAMES)[1] > length - inner for inner in range(1, length)):
        name, length = None, 0  # "large heart failure" is no large heart
    for other in range(min(len(words) - start, _LONGEST), length, -1):
        phrase = words[start : start + other]
        meanings = lexicon().get(tuple(phrase))
        if meanings:
            texts = [" ".join(phrase), *[""] * (len(meanings) - 1)]
            return [Token(kind, text, value) for text, (kind, value) in zip(texts, meanings)], other
    phrase = words[start : start + max(length, 1)]
    if name:
        return [*_sides_within(phrase), Token(Kind.FINDING, " ".join(phrase), name)], length
    if " to " in words[start]:  # a range with hyphens
        return [Token(Kind.LEVEL, words[start], words[start])], 1
    return [Token(Kind.UNKNOWN, word) for word in phrase], len(phrase)


def _sides_within(phrase: Iterable[str]) -> list[Token]:
    """The sides that stand inside a finding's name, as in "blunting of the left costophrenic angle"."""
    return [Token(Kind.SIDE, word, SIDE_NAMES[word]) for word in phrase if word in SIDE_NAMES]


def unused(tokens: Iterable[Token]) -> tuple[str, ...]:
    """The words of tokens that were not made use of, without those that say nothing."""
    silent = (Kind.FILLER, Kind.AND, Kind.PREPOSITION, Kind.WITH, Kind.FROM, Kind.TO)
    return tuple(token.text for token in tokens if token.text and token.kind not in silent)
