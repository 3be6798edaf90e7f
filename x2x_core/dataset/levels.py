"""Levels as Medical-Diff-VQA writes them: one or several level words that precede a finding in a radiology report.

Its generator keeps every level word before a finding: "small increasing", "mild moderate" (from "mild to moderate"),
"moderate to large small" (from two sides). The instruction language has one level for a finding in a place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from x2x_core.common.errors import InputError
from x2x_core.language.vocabulary import COURSES, LEVEL_NAMES, level_range, level_rank, rarity

_DIRECTIONS = ("increasing", "decreasing")
_LONGEST = max(name.count(" ") for name in LEVEL_NAMES) + 1  # words


@dataclass(frozen=True)
class Levels:
    """Combined meaning of the level words of one finding."""

    strength: str | None  # a level of the instruction language with a rank, or a range of such levels
    course: str | None  # "acute", "increasing" or "decreasing"
    spare: tuple[str, ...] = ()  # adverbs of a change: "minimally" in "minimally increasing"

    @property
    def level(self) -> str | None:
        """The one level that a clause can have: the strength, or else the course."""
        return self.strength or self.course

    @property
    def unplaced(self) -> tuple[str, ...]:
        """Words that `level` does not contain."""
        return (*self.spare, self.course) if self.strength and self.course else self.spare


NO_LEVELS = Levels(None, None)


def read_levels(text: str) -> Levels:
    """Read the level of a finding from one or several words.

    Several strengths give the range from the weakest to the strongest; of equal ones the last is used.

    Args:
        text: such as "small", "Moderate to large" or "mild increasing".

    Raises:
        InputError: a word is not a level, or the text is empty.
    """
    return _combine(_split(_words(text)))


def read_transition(text: str) -> tuple[Levels, Levels]:
    """Read both levels of "A to B", each one or several words that may contain a "to" themselves.

    If both readings of "mild to moderate to severe" are possible, the result is that of the instruction language: the
    longer first level, unless the other range is more common.

    Raises:
        InputError: there is no such "to", or a word is not a level.
    """
    words = _words(text)
    readings = []
    for position in (position for position, word in enumerate(words) if word == "to"):
        try:
            before, after = _split(words[:position]), _split(words[position + 1 :])
        except ValueError:
            continue
        readings.append((sum(rarity(name.level) for name in (*before, *after)), -position, before, after))
    if not readings:
        _split([word for word in words if word != "to"])  # the error names a word that is not a level
        raise InputError("two levels are needed, with a 'to' between them")
    _, _, before, after = min(readings)
    return _combine(before), _combine(after)


class _Name(NamedTuple):
    """A level as it is written, and in the words of the instruction language."""

    text: str
    level: str


def _combine(names: list[_Name]) -> Levels:
    strengths: list[str] = []
    courses: list[str] = []
    spare: list[str] = []
    for name, following in zip(names, (*names[1:], None)):
        if name.level in COURSES:
            courses.append(name.level)
        elif name.text.endswith("ly") and following is not None and following.level in _DIRECTIONS:
            spare.append(name.text)
        else:
            strengths.append(name.level)
    directions = [course for course in courses if course in _DIRECTIONS] or courses
    return Levels(_range_of(strengths), directions[-1] if directions else None, tuple(spare))


def _range_of(strengths: list[str]) -> str | None:
    """Return the range of several strengths, one strength as it is, and ``None`` for none."""
    if len(strengths) < 2:
        return strengths[0] if strengths else None
    ends = sorted((end for level in strengths for end in level.split(" to ")), key=level_rank)
    return level_range(ends[0], ends[-1]) or strengths[-1]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _split(words: list[str]) -> list[_Name]:
    """Split words into levels, the longest first that leaves levels after it."""
    if not words:
        raise InputError("a level is missing")
    names = _longest_names(words)
    if names is None:
        raise InputError(f"{next((word for word in words if not _canonical(word)), 'to')!r} is not a known level")
    return names


def _longest_names(words: list[str]) -> list[_Name] | None:
    """Return the levels of all words, or ``None`` if the words cannot be split into levels."""
    rest: list[list[_Name] | None] = [[]]  # the levels from each word to the end, the last word first
    for start in reversed(range(len(words))):
        names = None
        for length in range(min(_LONGEST, len(words) - start), 0, -1):
            text, following = " ".join(words[start : start + length]), rest[-length]
            level = _canonical(text)
            if level and following is not None:
                names = [_Name(text, level), *following]
                break
        rest.append(names)
    return rest[-1]


def _canonical(text: str) -> str | None:
    """Return a level, or a range of any two levels, in the words of the instruction language."""
    if text in LEVEL_NAMES:
        return LEVEL_NAMES[text]
    weakest, _, strongest = (LEVEL_NAMES.get(part) for part in text.partition(" to "))
    return level_range(weakest, strongest) if weakest and strongest else None
