"""Checks of the images that the rows of `instructions.csv` name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from x2x_core.common.processes import distribute, usable_cores
from x2x_core.imaging.files import read_image
from x2x_core.pairs.layout import COLUMNS, CURRENT, INSTRUCTIONS, PAST, find_image

from .layout import VALID
from .problems import Problem
from .tables import read_records

_PORTION = 32  # rows in a portion


class _Portion(NamedTuple):
    """Some rows of a dataset: row number, past image and current image of each."""

    folder: Path
    rows: list[tuple[int, str, str]]


class _ImageCheck(NamedTuple):
    """Kind and text of an image's problem, empty without one, and its size if it can be read."""

    kind: str
    text: str
    size: tuple[int, int] | None


def check_images(
    folder: Path, total: int, workers: int | None, progress: Callable[[int, int], None] | None
) -> list[Problem]:
    """Check the images of all rows.

    Args:
        folder: the dataset.
        total: number of well-formed rows.
        workers: number of processes; ``None`` uses one per core.
        progress: called with the number of rows done and the total.
    """
    workers = max(1, min(workers or usable_cores(), -(-total // _PORTION)))
    problems: list[Problem] = []
    done = 0
    for portion_problems, count in distribute(_check_portion, _portions(folder), workers):
        problems += portion_problems
        done += count
        if progress:
            progress(done, total)
    return problems


def count_unused(folder: Path, used: dict[str, set[str]]) -> list[str]:
    """Return a note for each image folder with files that no row names; `used` has the names by folder."""
    notes = []
    for part, names in used.items():
        stems = {*names, *(name.rsplit(".", 1)[0] for name in names)}
        entries = os.scandir(folder / part) if (folder / part).is_dir() else ()
        count = sum(entry.name not in stems and entry.name.rsplit(".", 1)[0] not in stems for entry in entries)
        if count:
            notes.append(f"{count} files in {part}/ are not named in any line")
    return notes


def _portions(folder: Path) -> Iterator[_Portion]:
    rows = (
        (record.row, record.values[2], record.values[3])
        for record in read_records(folder / INSTRUCTIONS, COLUMNS)
        if not record.problem
    )
    while portion := list(islice(rows, _PORTION)):
        yield _Portion(folder, portion)


def _check_portion(portion: _Portion) -> tuple[list[Problem], int]:
    check = lru_cache(maxsize=None)(_check_image)  # rows that share an image are close to each other
    problems = [problem for row in portion.rows for problem in _check_pair(portion.folder, check, *row)]
    return problems, len(portion.rows)


def _check_pair(
    folder: Path, check: Callable[[Path, str, str], _ImageCheck], row: int, past: str, current: str
) -> Iterator[Problem]:
    sizes = []
    for part, name in ((PAST, past), (CURRENT, current)):
        result = check(folder, part, name)
        if result.kind:
            yield Problem(result.kind, f"line {row}: {part}/{name} {result.text}", row)
        sizes.append(result.size)
    if None not in sizes and sizes[0] != sizes[1]:
        yield Problem("sizes", f"line {row}: past is {sizes[0]} and current {sizes[1]} pixels", row)
    if (folder / VALID).is_dir() and not (folder / VALID / past).is_file():
        yield Problem("missing image", f"line {row}: {VALID}/{past} does not exist", row)


def _check_image(folder: Path, part: str, name: str) -> _ImageCheck:
    try:
        image = read_image(find_image(folder / part, name))
    except FileNotFoundError:
        return _ImageCheck("missing image", "does not exist", None)
    except (ValueError, OSError) as error:
        return _ImageCheck("unreadable image", f"cannot be decoded: {error}", None)
    if image.bit_depth != 8 or image.pixels.shape[1] != 1:
        return _ImageCheck("not 8-bit grey", f"has mode {image.mode}", image.size)
    if image.size[0] != image.size[1]:
        return _ImageCheck("not square", f"is {image.size[1]} x {image.size[0]} pixels", image.size)
    return _ImageCheck("", "", image.size)
