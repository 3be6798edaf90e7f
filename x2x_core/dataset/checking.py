"""Check that a dataset in the pair layout is complete and readable: one built here, or the authors' release."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from x2x_core.pairs.layout import COLUMNS, INSTRUCTIONS, instruction_table

from .image_checks import check_images, count_unused
from .layout import BUILD, PAIRS
from .problems import CheckResult, Problem
from .row_checks import RowChecks
from .tables import read_records


def check_dataset(
    folder: str | Path, *, workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> CheckResult:
    """Check every row and every image of a dataset.

    Each row must name a split (train, val or test), an instruction that is understood, and two images that exist, can
    be decoded, and are 8-bit grey, square and of the same size. No row may occur twice. No image may be in two splits,
    and no patient either, if `pairs.csv` states the patients.

    Args:
        folder: contains `instructions.csv`, `past/` and `current/`.
        workers: number of processes; ``None`` uses one per core.
        progress: called with the number of rows done and the total.

    Raises:
        InputNotFoundError: `folder` is not a dataset.
        InputError: its table lacks a column or is damaged.
    """
    folder = Path(folder)
    checks = RowChecks()
    for record in read_records(instruction_table(folder), COLUMNS):
        checks.add(record)
    problems, total = checks.problems, checks.statistics.instructions
    if not total:
        problems.append(Problem("empty", f"{INSTRUCTIONS} has no lines"))
    problems += check_images(folder, total, workers, progress)
    problems += _check_build(folder)
    return CheckResult(checks.statistics.as_dict(), problems, checks.notes() + count_unused(folder, checks.used))


def _check_build(folder: Path) -> Iterator[Problem]:
    """Check the files that only a dataset built here has: the record of the build, and the patients."""
    try:
        if not json.loads((folder / BUILD).read_text(encoding="utf-8")).get("complete"):
            yield Problem("unfinished", f"{BUILD} says that the build is not complete: start it again to continue")
    except FileNotFoundError:
        pass
    except ValueError:
        yield Problem("unfinished", f"{BUILD} is not JSON")
    if not (folder / PAIRS).is_file():
        return
    split_of: dict[str, str] = {}
    with (folder / PAIRS).open(newline="", encoding="utf-8") as file:
        for row, line in enumerate(csv.DictReader(file), start=2):
            earlier = split_of.setdefault(line.get("subject_id", ""), line.get("split", ""))
            if earlier != line.get("split", ""):
                text = f"{PAIRS} line {row}: patient {line['subject_id']} is in {line['split']} and in {earlier}"
                yield Problem("leak", text, row)
