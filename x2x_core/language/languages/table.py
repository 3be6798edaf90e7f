"""Table of one language: its words for operations, findings, sides, levels and zones, and the order of a sentence.

In each entry phrases are separated by commas; the first is the one that is written. Words that are in no entry are not
read: no table holds a negation, so that a negated sentence is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)  # compared and hashed by identity: each language has one table
class Language:
    """Words of a language and the sentences that are written in it.

    `sentence` and `change` are format strings with the fields `verb` and `parts`, `transition` with `before` and
    `after`. `order` names the parts, of "finding", "level", "side", "zone" and "transition"; those that a clause leaves
    open are left out.
    """

    code: str  # ISO 639-1
    name: str  # in English
    spaced: bool  # True if spaces separate words
    verbs: Mapping[str, str]  # keys: add, remove, change, increase, decrease
    findings: Mapping[str, str]
    sides: Mapping[str, str]
    levels: Mapping[str, str]  # single levels and courses
    zones: Mapping[str, str]
    conjunctions: str
    arrows: str  # words beside the new level of a change
    fillers: str  # function words that may be left out without changing the meaning
    range_joiner: str  # between the two levels of a range
    sentence: str  # of an addition, a removal, an increase or a decrease
    change: str  # of a change to a level
    order: tuple[str, ...]  # parts of a sentence
    transition: str  # from one level to another
    transition_to: str  # to a level
    separator: str = " "  # between the parts of a written sentence
    strength: str = "{}"  # a level beside its finding
    course: str = "{}"  # a course ("increasing") beside its finding
    zone: str = "{}"  # a zone beside its finding
    arrow_after: bool = False  # True if the arrow follows the level
    digraphs: Mapping[str, str] = field(default_factory=dict)  # spellings without diacritics, such as "ae" for "ä"

    def written(self, kind: str, name: str) -> str:
        """Return the first phrase of an entry, such as the side "left"."""
        entries: Mapping[str, str] = getattr(self, kind)
        return phrases(entries[name])[0]


def phrases(entry: str) -> list[str]:
    """Return the phrases of an entry."""
    return [phrase.strip() for phrase in entry.split(",")]


def inflected(stems: str, endings: str) -> str:
    """Return an entry with each stem in each form.

    Args:
        stems: separated by commas.
        endings: separated by spaces; the bare stem comes first.
    """
    return ", ".join(stem + ending for stem in phrases(stems) for ending in ("", *endings.split()))
