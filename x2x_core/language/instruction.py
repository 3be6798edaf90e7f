"""The instruction language: what to add, remove or change, where, and to what level.

Two wordings are read and written. v1 is the published one (Min et al., MICCAI 2025): "Add the finding of X.", "Add the
findings of X, Y and Z.", "Remove the finding of X.", "Change the level of X from A to B.". v2 adds a level and a place
to each finding: "Add the finding of moderate pleural effusion in the left lower lung zone.". Clauses follow each other,
separated by a space. `x2x_core.language.parser` reads both, and everyday wordings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from x2x_core.common.errors import InputError

from .clauses import Clause, check_option
from .explanation import Explanation, LeftOut, explain_clause, explain_region, group_left_out
from .languages import LANGUAGES
from .languages.writing import write_in
from .open_places import open_clauses
from .other_languages import ENGLISH
from .parser import parse
from .spelling import Correction
from .writing import write_clauses

REGIONS = ("findings", "thorax", "image")


@dataclass(frozen=True)
class Instruction:
    """An edit request: its clauses, its original text and the region that may change.

    Words that were not understood request nothing, so they do not count when two instructions are compared.

    Raises:
        InputError: contradictory clauses, or an unknown region.
    """

    clauses: tuple[Clause, ...] = ()
    text: str = ""  # the user's own words; empty if the instruction was built from clauses
    unplaced: tuple[str, ...] = field(default=(), compare=False)  # words that the parser did not understand
    region: str = "findings"  # the editable region: where the findings can be, the whole thorax, or the whole image
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False, repr=False)  # `unplaced` with reasons
    corrected: tuple[Correction, ...] = field(default=(), compare=False, repr=False)  # misspelt words
    assumed: tuple[str, ...] = field(default=(), compare=False, repr=False)  # readings of what the text leaves open
    left_alone: tuple[str, ...] = field(default=(), compare=False, repr=False)  # findings that the text leaves alone
    language: str = field(default=ENGLISH, compare=False, repr=False)  # code of the language of `text`
    drawn: tuple[Clause, ...] = field(default=(), compare=False, repr=False)  # those whose place an edit drew

    def __post_init__(self) -> None:
        object.__setattr__(self, "clauses", tuple(dict.fromkeys(self.clauses)))
        check_option("region", self.region, REGIONS)
        for number, clause in enumerate(self.clauses):
            for other in self.clauses[:number]:
                _check_agreement(other, clause)

    @classmethod
    def parse(cls, text: str, *, free_region: str = "thorax", strict: bool = True) -> Instruction:
        """Read an instruction in any supported wording or language; see `x2x_core.language.parser`.

        Args:
            text: the user's words.
            free_region: region of free text, which names no known finding or no operation: "thorax" or "image".
            strict: refuse a side, zone, level or verb that was not understood and could change what is edited. With a
                mask of your own such words are the model's business: pass False.

        Raises:
            InputError: empty text, contradictory clauses, a change without a target level, or words that `strict`
                refuses.
        """
        parsed = parse(text, free_region=free_region, strict=strict)
        words = tuple(part.words for part in parsed.left_out)
        return cls(
            parsed.clauses, text, words, parsed.region, parsed.left_out, parsed.corrected,
            parsed.assumed, parsed.left_alone, parsed.language,
        )  # fmt: skip

    def explain(self) -> Explanation:
        """Return what the instruction would do, clause by clause, and what it leaves out."""
        return Explanation(
            text=self.text,
            language=self.language,
            canonical=str(self),
            clauses=tuple(
                explain_clause(clause, clause in self.open_clauses, clause in self.drawn) for clause in self.clauses
            ),
            region=explain_region(self.region),
            corrected=tuple((correction.word, correction.taken) for correction in self.corrected),
            left_out=group_left_out(self.left_out),
            assumed=self.assumed,
            left_alone=self.left_alone,
        )

    def __str__(self) -> str:
        return self.write("v2")

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of the findings, without duplicates."""
        return tuple(dict.fromkeys(clause.finding for clause in self.clauses))

    @property
    def open_clauses(self) -> tuple[Clause, ...]:
        """Clauses that leave a side or zone open that an edit draws; see `x2x_core.language.open_places`."""
        return open_clauses(self.clauses, self.unplaced)

    def with_places(self, places: Mapping[Clause, Clause]) -> Instruction:
        """Return the instruction with drawn places.

        Args:
            places: clauses of it, and the same clauses with the side and zone that were drawn.
        """
        clauses = tuple(places.get(clause, clause) for clause in self.clauses)
        return replace(self, clauses=clauses, drawn=tuple(places.values()))

    def write(self, version: str = "v2") -> str:
        """Return the instruction in canonical wording; free text is returned unchanged.

        v1 has no places: an instruction that differs between places may contradict itself in v1.

        Args:
            version: "v1" (findings only) or "v2" (with levels and places where they are known).

        Raises:
            InputError: unknown version.
        """
        check_option("version", version, ("v1", "v2"))
        return write_clauses(self.clauses, version) if self.clauses else self.text

    def write_in(self, language: str) -> str:
        """Return the instruction as sentences of a language, one for each clause; free text is returned unchanged.

        Args:
            language: a code: "en", or one of `x2x_core.language.languages.LANGUAGES`.

        Raises:
            InputError: unknown language.
        """
        check_option("language", language, (ENGLISH, *LANGUAGES))
        if language == ENGLISH or not self.clauses:
            return str(self)
        return write_in(self.clauses, LANGUAGES[language])

    def flipped(self) -> Instruction:
        """Return the instruction for the mirrored image: left and right swapped."""
        clauses = tuple(clause.flipped() for clause in self.clauses)
        drawn = tuple(clause.flipped() for clause in self.drawn)
        return replace(self, clauses=clauses, text=swap_sides(self.text), drawn=drawn)

    def reversed(self) -> Instruction:
        """Return the instruction that undoes this one: added findings are removed, level changes run backwards.

        Raises:
            InputError: free text, or a change whose starting level is unknown.
        """
        if not self.clauses:
            raise InputError(f"`clauses` must not be empty for an instruction to be undone, got {self.text!r}.")
        return Instruction(tuple(clause.reversed() for clause in reversed(self.clauses)))

    def as_dict(self) -> dict[str, Any]:
        """Return the instruction as JSON-serialisable data."""
        clauses = [{**asdict(clause), "operation": clause.operation.value} for clause in self.clauses]
        drawn = [number for number, clause in enumerate(self.clauses) if clause in self.drawn]
        return {
            "text": self.text or str(self),
            "canonical": str(self),
            "clauses": clauses,
            "unplaced": list(self.unplaced),
            "region": self.region,
            **({"places_drawn": drawn} if drawn else {}),  # numbers of the clauses whose place an edit drew
        }


def _check_agreement(first: Clause, second: Clause) -> None:
    if not first.overlaps(second):
        return
    if first.operation is not second.operation:
        raise InputError(
            f"`prompt` must not contradict itself, but it would {first.operation.value} and "
            f"{second.operation.value} {second.finding} in the same place. Keep one of the two, or name the sides."
        )
    same_place = (first.side or "bilateral", first.zone) == (second.side or "bilateral", second.zone)
    if same_place and (first.level, first.level_from) != (second.level, second.level_from):
        raise InputError(
            f"`prompt` must give {second.finding} one level in one place, but it gives {first.level or 'none'} and "
            f"{second.level or 'none'}. Keep one of the two, or name the sides."
        )


_SWAPS = {"left": "right", "lt": "rt", "leftsided": "rightsided", "lul": "rul", "lml": "rml", "lll": "rll", "l": "r"}
_SWAPS |= {"lefthand": "righthand", "leftward": "rightward"}
_SWAPS |= {"luz": "ruz", "lmz": "rmz", "llz": "rlz"}
_SWAPS |= {right: left for left, right in _SWAPS.items()}


def swap_sides(text: str) -> str:
    """Swap left and right in a text: whole words and the abbreviations of sides and lobes, preserving case."""
    return re.sub(r"\w+", lambda match: _swap(match.group()), text)


def _swap(word: str) -> str:
    """Return the word for the other side, each letter in the case of the letter it replaces."""
    other = _SWAPS.get(word.lower())
    if other is None:
        return word
    cases = word.ljust(len(other), word[-1])
    return "".join(new.upper() if old.isupper() else new for new, old in zip(other, cases))
