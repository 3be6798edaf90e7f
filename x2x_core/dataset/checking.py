"""Check that a dataset in the published layout is complete and readable; the authors' own as well as one built here."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputNotFoundError
from x2x_core.imaging.files import read_image
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import COLUMNS, find_image

from .layout import BUILD, CURRENT, INSTRUCTIONS, PAIRS, PAST, VALID, image_of
from .processes import deal, usable_cores
from .statistics import Statistics
from .tables import Record, read_records

SPLITS = ("train", "val", "test")
_PORTION = 32  # lines to a portion


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: of what kind, and what exactly; `row` is the line of the table, if one is to blame."""

    kind: str
    text: str
    row: int | None = None


@dataclass
class Checked:
    """What a check found; a dataset without problems is complete and readable."""

    statistics: dict[str, Any]
    problems: list[Problem]
    notes: list[str] = field(default_factory=list)

    def by_kind(self) -> dict[str, list[Problem]]:
        """The problems of each kind, in the table's order."""
        kinds: dict[str, list[Problem]] = {}
        for problem in sorted(self.problems, key=lambda problem: (problem.row or 0, problem.text)):
            kinds.setdefault(problem.kind, []).append(problem)
        return dict(sorted(kinds.items()))

    def as_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        problems = {kind: [asdict(problem) for problem in found] for kind, found in self.by_kind().items()}
        return {"complete": not self.problems, "dataset": self.statistics, "problems": problems, "notes": self.notes}


def check_dataset(
    folder: str | Path, *, workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Checked:
    """Check every line and every image of a dataset.

    Each line must name a split (train, val or test), an instruction that is understood, and two images that are there,
    can be decoded, are 8-bit grey, square and of one size. No line may stand twice; no image, and where `pairs.csv`
    says whose they are no patient, may be in two splits.

    Args:
        folder: holds `instructions.csv`, `past/` and `current/`.
        workers: processes; ``None``: one a core.
        progress: called with the lines done and the lines in all.

    Raises:
        InputNotFoundError: there is no dataset.
        InputError: its table lacks a column or is damaged.
    """
    folder = Path(folder)
    table = folder / INSTRUCTIONS
    if not table.is_file():
        raise InputNotFoundError(f"There is no dataset at `{folder}`: `{INSTRUCTIONS}` is missing.")
    lines = _Lines()
    for record in read_records(table, COLUMNS):
        lines.add(record)
    problems = lines.problems
    if not lines.statistics.instructions:
        problems.append(Problem("empty", f"{INSTRUCTIONS} has no lines"))
    problems += _check_images(folder, lines.statistics.instructions, workers, progress)
    problems += _check_build(folder)
    return Checked(lines.statistics.as_dict(), problems, lines.notes() + _unused(folder, lines.used))


class _Lines:
    """The lines of the table, one after another: what is wrong with them, and what they ask for."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.statistics = Statistics()
        self.used: dict[str, set[str]] = {PAST: set(), CURRENT: set()}
        self._seen: set[int] = set()
        self._split_of: dict[str, str] = {}
        self._unplaced = 0

    def add(self, record: Record) -> None:
        if record.problem:
            self.problems.append(Problem("malformed line", f"line {record.row}: {record.problem}", record.row))
            return
        split, text, past, current = record.values
        if split not in SPLITS:
            self._problem("split", record.row, f"{split!r} is none of {', '.join(SPLITS)}")
        clauses, unplaced, wrong = _understand(text)
        if wrong:
            self._problem("instruction", record.row, f"{text!r} is not understood: {wrong}")
        self._unplaced += unplaced
        self.statistics.add(split, clauses)
        self._check_twice(record)
        for part, name in ((PAST, past), (CURRENT, current)):
            self.used[part].add(name)
            self._check_split(record.row, image_of(name), split)

    def _problem(self, kind: str, row: int, text: str) -> None:
        self.problems.append(Problem(kind, f"line {row}: {text}", row))

    def _check_twice(self, record: Record) -> None:
        key = hash(record.values[1:])
        if key in self._seen:
            self._problem("duplicate", record.row, "the same images and instruction stand in an earlier line")
        self._seen.add(key)

    def _check_split(self, row: int, image: str, split: str) -> None:
        earlier = self._split_of.setdefault(image, split)
        if earlier != split:
            self._problem("leak", row, f"image {image} is in {split} and in {earlier}")

    def notes(self) -> list[str]:
        """What is worth knowing and no problem."""
        return [f"{self._unplaced} instructions have words that are not understood"] if self._unplaced else []


@lru_cache(maxsize=4096)
def _understand(text: str) -> tuple[tuple, bool, str]:
    """Clauses, whether words were left over, and what is wrong ("" where nothing is)."""
    try:
        instruction = Instruction.parse(text)
    except ValueError as error:
        return (), False, str(error)
    wrong = "" if instruction.clauses else "it names no known finding or operation"
    return instruction.clauses, bool(instruction.unplaced), wrong


def _check_images(folder: Path, total: int, workers: int | None, progress) -> list[Problem]:
    portions = _portions(folder)
    workers = max(1, min(workers or usable_cores(), -(-total // _PORTION)))
    problems, done = [], 0
    for found, count in deal(_check_portion, portions, workers):
        problems += found
        done += count
        if progress:
            progress(done, total)
    return problems


def _portions(folder: Path) -> Iterator[tuple[Path, list[tuple[int, str, str]]]]:
    lines = (
        (record.row, record.values[2], record.values[3])
        for record in read_records(folder / INSTRUCTIONS, COLUMNS)
        if not record.problem
    )
    while portion := list(islice(lines, _PORTION)):
        yield folder, portion


def _check_portion(task: tuple[Path, list[tuple[int, str, str]]]) -> tuple[list[Problem], int]:
    folder, lines = task
    look = lru_cache(maxsize=None)(_check_image)  # lines that share an image stand near each other
    problems = [problem for line in lines for problem in _check_pair(folder, look, *line)]
    return problems, len(lines)


def _check_pair(folder: Path, look, row: int, past: str, current: str) -> Iterator[Problem]:
    sizes = []
    for part, name in ((PAST, past), (CURRENT, current)):
        kind, text, size = look(folder, part, name)
        if kind:
            yield Problem(kind, f"line {row}: {part}/{name} {text}", row)
        sizes.append(size)
    if None not in sizes and sizes[0] != sizes[1]:
        yield Problem("sizes", f"line {row}: past is {sizes[0]} and current {sizes[1]} pixels", row)
    if (folder / VALID).is_dir() and not (folder / VALID / past).is_file():
        yield Problem("missing image", f"line {row}: {VALID}/{past} is not there", row)


def _check_image(folder: Path, part: str, name: str) -> tuple[str, str, tuple[int, int] | None]:
    """Kind and text of what is wrong ("" where nothing is), and the size where it can be read."""
    try:
        image = read_image(find_image(folder / part, name))
    except FileNotFoundError:
        return "missing image", "is not there", None
    except (ValueError, OSError) as error:
        return "unreadable image", f"can't be decoded: {error}", None
    if image.bit_depth != 8 or image.pixels.shape[1] != 1:
        return "not 8-bit grey", f"has mode {image.mode}", image.size
    if image.size[0] != image.size[1]:
        return "not square", f"is {image.size[1]} x {image.size[0]} pixels", image.size
    return "", "", image.size


def _check_build(folder: Path) -> Iterator[Problem]:
    """What only a dataset that was built here has: its record, and whose images they are."""
    try:
        if not json.loads((folder / BUILD).read_text(encoding="utf-8")).get("complete"):
            yield Problem("unfinished", f"{BUILD} says that the build is not complete: start it again to go on")
    except FileNotFoundError:
        pass
    except ValueError:
        yield Problem("unfinished", f"{BUILD} is no JSON")
    if not (folder / PAIRS).is_file():
        return
    split_of: dict[str, str] = {}
    with (folder / PAIRS).open(newline="", encoding="utf-8") as file:
        for row, line in enumerate(csv.DictReader(file), start=2):
            earlier = split_of.setdefault(line.get("subject_id", ""), line.get("split", ""))
            if earlier != line.get("split", ""):
                text = f"{PAIRS} line {row}: patient {line['subject_id']} is in {line['split']} and in {earlier}"
                yield Problem("leak", text, row)


def _unused(folder: Path, used: dict[str, set[str]]) -> list[str]:
    """How many files no line names."""
    notes = []
    for part, names in used.items():
        stems = {*names, *(name.rsplit(".", 1)[0] for name in names)}
        there = os.scandir(folder / part) if (folder / part).is_dir() else ()
        count = sum(entry.name not in stems and entry.name.rsplit(".", 1)[0] not in stems for entry in there)
        if count:
            notes.append(f"{count} files in {part}/ are named by no line")
    return notes
