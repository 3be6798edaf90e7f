"""Read the lists that a reader filled in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.language.vocabulary import find_finding
from x2x_core.simulation.findings import SIDED

from .sheet import ARTEFACTS, COLUMNS, MORE, NORMAL, VISIBILITIES

SIDES = ("right", "left", "bilateral")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Seen:
    """A finding that a reader saw on a picture."""

    finding: str  # canonical name
    side: str | None
    visibility: str  # "plain" or "subtle"


@dataclass(frozen=True)
class Compared:
    """Answer about an edit beside what it was made from."""

    artefacts: tuple[str, ...]
    normal: str | None  # "nearer", "same" or "worse"


@dataclass(frozen=True)
class Answers:
    """All answers, by the names of the pictures; a part that was not filled in is empty."""

    seen: Mapping[str, tuple[Seen, ...]]
    compared: Mapping[str, Compared]
    more: Mapping[str, str]  # "left", "right" or "same"


def read_answers(folder: Path, pictures: Mapping[str, Collection[str]]) -> Answers:
    """Read the filled lists `part1.csv`, `part2.csv` and `part3.csv` of a folder.

    A list that is missing, or in which nothing is filled in, is left out; part 1 is needed.

    Args:
        folder: of the lists.
        pictures: names of the pictures of each part, as the key has them.

    Raises:
        InputNotFoundError: no `part1.csv`.
        InputError: a list that lacks a picture or a column, is filled in halfway, or has an unknown word.
    """
    if not (folder / "part1.csv").is_file():
        raise InputNotFoundError(f"There is no list `part1.csv` in `{folder}`: give the folder of a filled sheet.")
    seen = _read(folder / "part1.csv", "part1", pictures, _seen)
    if not seen:
        raise InputError(f"`{folder / 'part1.csv'}` must be filled in, but no line of it is.")
    compared = _read(folder / "part2.csv", "part2", pictures, _compared)
    more = _read(folder / "part3.csv", "part3", pictures, _more)
    return Answers(
        {name: tuple(one for one in answers if one is not None) for name, answers in seen.items()},
        {name: answers[-1] for name, answers in compared.items()},
        {name: answers[-1] for name, answers in more.items()},
    )


def _read(
    path: Path, part: str, pictures: Mapping[str, Collection[str]], read: Callable[[Mapping[str, str], str], _Answer]
) -> dict[str, list[_Answer]]:
    """Return the answers of a list by picture; empty if the list is missing or empty."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        missing = [name for name in COLUMNS[part] if name not in (table.fieldnames or ()) and name != "remark"]
        if missing:
            raise InputError(f"`{path}` must have the columns {', '.join(COLUMNS[part])}, but lacks {missing[0]}.")
        rows = [{name: (row[name] or "").strip().lower() for name in COLUMNS[part] if name in row} for row in table]
    if not any(value for row in rows for name, value in row.items() if name not in ("picture", "remark")):
        return {}
    answers: dict[str, list[_Answer]] = {}
    for number, row in enumerate(rows, start=2):
        place = f"Line {number} of `{path}`"
        if row["picture"] not in pictures[part]:
            raise InputError(f"{place} must name a picture of the key, got {row['picture']!r}.")
        answers.setdefault(row["picture"], []).append(read(row, place))
    left_out = sorted(set(pictures[part]) - set(answers))
    if left_out:
        raise InputError(f"`{path}` must have a line for every picture, but {left_out[0]} has none.")
    return answers


def _seen(row: Mapping[str, str], place: str) -> Seen | None:
    visibility = _word(row, "visibility", VISIBILITIES, place)
    if visibility == "nothing":
        if row["finding"] or row["side"]:
            raise InputError(f"{place} must have no finding and no side with `nothing`, got {row['finding']!r}.")
        return None
    finding = find_finding(row["finding"])
    if finding is None:
        raise InputError(f"{place} must name a known finding in `finding`, got {row['finding']!r}.")
    if finding.name in SIDED:
        return Seen(finding.name, _word(row, "side", SIDES, place), visibility)
    return Seen(finding.name, None, visibility)


def _compared(row: Mapping[str, str], place: str) -> Compared:
    named = tuple(word.strip() for word in row["artefact"].split("|"))
    for word in named:
        _word({"artefact": word}, "artefact", ARTEFACTS, place)
    if "none" in named and len(named) > 1:
        raise InputError(f"{place} must have `none` alone in `artefact`, got {row['artefact']!r}.")
    return Compared(tuple(word for word in named if word != "none"), _word(row, "normal", NORMAL, place))


def _more(row: Mapping[str, str], place: str) -> str:
    return _word(row, "more", MORE, place)


def _word(row: Mapping[str, str], column: str, words: Sequence[str], place: str) -> str:
    if row[column] not in words:
        raise InputError(f"{place} must have one of {', '.join(words)} in `{column}`, got {row[column]!r}.")
    return row[column]
