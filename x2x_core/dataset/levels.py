"""Levels as Medical-Diff-VQA writes them: one or several of its words, as they stood before a finding in a report.

Its generator keeps every level word before a finding: "small increasing", "mild moderate" (of "mild to moderate"),
"moderate to large small" (of two sides). The instruction language has one level for a finding in a place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from x2x_core.common.errors import InputError
from x2x_core.language.vocabulary import COURSES, LEVEL_NAMES, level_range, level_rank, rarity

_DIRECTIONS = ("increasing", "decreasing")
_LONGEST = max(name.count(" ") for name in LEVEL_NAMES) + 1  # words


@dataclass(frozen=True)
class Levels:
    """What the level words of one finding say together."""

    strength: str | None  # a level of the instruction language that has a rank, or a range of them
    course: str | None  # "acute", "increasing" or "decreasing"
    spare: tuple[str, ...] = ()  # words that say by how much it changes: "minimally" in "minimally increasing"

    @property
    def level(self) -> str | None:
        """The one level that a clause can have: how strong, or else which course."""
        return self.strength or self.course

    @property
    def unplaced(self) -> tuple[str, ...]:
        """What the level leaves unsaid."""
        return (*self.spare, self.course) if self.strength and self.course else self.spare


NO_LEVELS = Levels(None, None)


def read_levels(text: str) -> Levels:
    """The level of a finding from one or several words.

    Several strengths are the range from the weakest to the strongest; of equal ones the last is taken.

    Args:
        text: such as "small", "Moderate to large" or "mild increasing".

    Raises:
        InputError: a word is no level, or there is none.
    """
    return _combine(_cut(_words(text)))


def read_transition(text: str) -> tuple[Levels, Levels]:
    """Both levels of "A to B", each one or several words that may hold a "to" themselves.

    Where both readings of "mild to moderate to severe" hold, it is the one of the instruction language: the longer
    first level, unless the other range is the more usual one.

    Raises:
        InputError: there is no such "to", or a word is no level.
    """
    words = _words(text)
    readings = []
    for place in (place for place, word in enumerate(words) if word == "to"):
        try:
            sides = _cut(words[:place]), _cut(words[place + 1 :])
        except ValueError:
            continue
        readings.append((sum(rarity(_canonical(name)) for side in sides for name in side), -place, sides))
    if not readings:
        _cut([word for word in words if word != "to"])  # a word that is no level is named in the error
        raise InputError("two levels are needed, with a 'to' between them")
    before, after = min(readings)[2]
    return _combine(before), _combine(after)


def _combine(names: list[str]) -> Levels:
    strengths, courses, spare = [], [], []
    for name, following in zip(names, (*names[1:], "")):
        level = _canonical(name)
        if level in COURSES:
            courses.append(level)
        elif name.endswith("ly") and _canonical(following) in _DIRECTIONS:
            spare.append(name)
        else:
            strengths.append(level)
    directions = [course for course in courses if course in _DIRECTIONS]
    return Levels(_range_of(strengths), (directions or courses or [None])[-1], tuple(spare))


def _range_of(strengths: list[str]) -> str | None:
    if len(strengths) < 2:
        return strengths[0] if strengths else None
    ends = sorted((end for level in strengths for end in level.split(" to ")), key=level_rank)
    return level_range(ends[0], ends[-1]) or strengths[-1]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _cut(words: list[str]) -> list[str]:
    """The levels that words hold, the longest first that leaves levels after it."""
    if not words:
        raise InputError("a level is missing")
    names = _cut_from(words)
    if names is None:
        raise InputError(f"{next((word for word in words if not _canonical(word)), 'to')!r} is no level")
    return names


def _cut_from(words: list[str]) -> list[str] | None:
    found: list[list[str] | None] = [[]]  # the levels from each word to the end, the last word first
    for start in reversed(range(len(words))):
        lengths = range(min(_LONGEST, len(words) - start), 0, -1)
        names = ((" ".join(words[start : start + length]), found[-length]) for length in lengths)
        found.append(next(([name, *rest] for name, rest in names if rest is not None and _canonical(name)), None))
    return found[-1]


def _canonical(name: str) -> str | None:
    """A level, or a range of any two, in the words of the instruction language."""
    if name in LEVEL_NAMES:
        return LEVEL_NAMES[name]
    weakest, _, strongest = name.partition(" to ")
    return level_range(LEVEL_NAMES.get(weakest), LEVEL_NAMES.get(strongest))
