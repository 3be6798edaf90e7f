"""Checks of the rows of `instructions.csv`: splits, instructions, duplicates, images in several splits."""

from __future__ import annotations

from functools import lru_cache

from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import CURRENT, PAST

from .layout import image_of
from .problems import Problem
from .questions import HELD_OUT
from .statistics import Statistics
from .tables import Record


class RowChecks:
    """Problems and statistics of the rows of a table, added one after another."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.statistics = Statistics()
        self.used: dict[str, set[str]] = {PAST: set(), CURRENT: set()}  # file names by folder
        self._seen: set[int] = set()
        self._split_of: dict[str, str] = {}
        self._unplaced = 0

    def add(self, record: Record) -> None:
        """Check one row."""
        if record.problem:
            self.problems.append(Problem("malformed line", f"line {record.row}: {record.problem}", record.row))
            return
        split, text, past, current = record.values
        if split not in HELD_OUT:
            self._report("split", record.row, f"{split!r} is not one of {', '.join(HELD_OUT)}")
        clauses, has_unplaced, error = _understand(text)
        if error:
            self._report("instruction", record.row, f"{text!r} is not understood: {error}")
        self._unplaced += has_unplaced
        self.statistics.add(split, clauses)
        self._check_duplicate(record)
        for folder, name in ((PAST, past), (CURRENT, current)):
            self.used[folder].add(name)
            self._check_split(record.row, image_of(name), split)

    def notes(self) -> list[str]:
        """Return remarks that are not problems."""
        return [f"{self._unplaced} instructions contain words that are not understood"] if self._unplaced else []

    def _report(self, kind: str, row: int, text: str) -> None:
        self.problems.append(Problem(kind, f"line {row}: {text}", row))

    def _check_duplicate(self, record: Record) -> None:
        key = hash(record.values[1:])
        if key in self._seen:
            self._report("duplicate", record.row, "an earlier line has the same images and instruction")
        self._seen.add(key)

    def _check_split(self, row: int, image: str, split: str) -> None:
        earlier = self._split_of.setdefault(image, split)
        if earlier != split:
            self._report("leak", row, f"image {image} is in {split} and in {earlier}")


@lru_cache(maxsize=4096)
def _understand(text: str) -> tuple[tuple[Clause, ...], bool, str]:
    """Parse an instruction: its clauses, True if words were not understood, and the error or an empty text."""
    try:
        instruction = Instruction.parse(text)
    except ValueError as error:
        return (), False, str(error)
    error_text = "" if instruction.clauses else "it names no known finding or operation"
    return instruction.clauses, bool(instruction.unplaced), error_text
