"""Ratings: what each reader said of each case, by each method."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from x2x_core.common.errors import InputError, InputNotFoundError

ONE_METHOD = "all"
_COLUMNS = {
    "reader": ("reader", "readerid"),
    "case": ("case", "caseid"),
    "truth": ("truth",),
    "rating": ("rating", "score"),
    "method": ("method", "modality", "modalityid", "treatment", "test"),
}
_BEGIN = "BEGIN DATA"  # line before the data of an .imrmc file
_TRUTH = "truth"  # reader and method of the lines that give the truth there


@dataclass(frozen=True)
class Ratings:
    """Ratings of a fully crossed study: every reader rated every case by every method.

    Args:
        scores: `(methods, readers, cases)`; higher means "more likely positive".
        truth: `(cases,)` bool, True for positive cases.
        methods: names, in the order of `scores`.
        readers: likewise.

    Raises:
        InputError: shapes that do not fit, a score that is not a number, or cases of one kind alone.
    """

    scores: np.ndarray
    truth: np.ndarray
    methods: tuple[str, ...]
    readers: tuple[str, ...]

    def __post_init__(self) -> None:
        shape = (len(self.methods), len(self.readers), len(self.truth))
        if self.scores.shape != shape:
            raise InputError(
                f"`scores` must have the shape (methods, readers, cases) {shape}, got {self.scores.shape}."
            )
        if not np.isfinite(self.scores).all():
            raise InputError("`scores` must be numbers for every method, reader and case.")
        positives = int(self.truth.sum())
        if positives < 2 or len(self.truth) - positives < 2:
            raise InputError(
                f"`truth` must have at least 2 positive and 2 negative cases, got {positives} and "
                f"{len(self.truth) - positives}."
            )


def read_ratings(path: Path) -> Ratings:
    """Read ratings from a table.

    Two forms: CSV with the columns reader, case, truth (0 or 1), rating, and method (or modality, treatment, test) if
    there are several; and `.imrmc` files (reader, case, method and score after a line `BEGIN DATA:`, the truth as lines
    of the reader "truth").

    Raises:
        InputNotFoundError: no such file.
        InputError: a column or rating is missing, or a value cannot be read.
    """
    if not path.is_file():
        raise InputNotFoundError(f"There is no table `{path}`.")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    start = next((number for number, line in enumerate(lines) if line.strip().upper().startswith(_BEGIN)), None)
    records = _of_csv(path, lines) if start is None else _of_imrmc(path, lines[start + 1 :])
    scores: dict[tuple[str, str, str], float] = {}
    truths: dict[str, bool] = {}
    for method, reader, case, truth, score in records:
        if (method, reader, case) in scores:
            raise InputError(f"`{path}` must have one rating by {reader} of case {case} with {method}, but has two.")
        if truths.setdefault(case, truth) != truth:
            raise InputError(f"`{path}` must have one truth for case {case}, but has two.")
        scores[method, reader, case] = score
    return cross(scores, truths)


def cross(scores: Mapping[tuple[str, str, str], float], truths: Mapping[str, bool]) -> Ratings:
    """Return ratings from scores by (method, reader, case).

    Raises:
        InputError: not every reader rated every case by every method.
    """
    methods, readers = (tuple(dict.fromkeys(key[place] for key in scores)) for place in (0, 1))
    missing = Counter(
        (method, reader)
        for method in methods
        for reader in readers
        for case in truths
        if (method, reader, case) not in scores
    )
    if missing:
        (method, reader), count = missing.most_common(1)[0]
        raise InputError(
            f"Ratings must be fully crossed, but {reader} has none of {count} cases with {method}. Leave these cases "
            "or readers out."
        )
    values = [[[scores[method, reader, case] for case in truths] for reader in readers] for method in methods]
    shape = (len(methods), len(readers), len(truths))
    return Ratings(np.array(values, float).reshape(shape), np.array(list(truths.values()), bool), methods, readers)


_Record = tuple[str, str, str, bool, float]  # method, reader, case, truth, score


def _of_csv(path: Path, lines: Sequence[str]) -> list[_Record]:
    table = csv.DictReader(lines)
    names = {name.strip().strip('"').lower(): name for name in table.fieldnames or ()}
    found = {
        column: next((names[other] for other in others if other in names), None) for column, others in _COLUMNS.items()
    }
    for column in ("reader", "case", "truth", "rating"):
        if found[column] is None:
            raise InputError(f"`{path}` must have the columns reader, case, truth and rating, but lacks {column}.")
    records = []
    for row in table:
        cells = {column: (row[name] or "").strip() for column, name in found.items() if name is not None}
        place = f"Line {table.line_num} of `{path}`"
        truth = _number(cells["truth"], place)
        if truth not in (0, 1):
            raise InputError(f"{place} must have 0 or 1 as truth, got {cells['truth']!r}.")
        rating = _number(cells["rating"], place)
        records.append((cells.get("method", ONE_METHOD), cells["reader"], cells["case"], truth == 1, rating))
    return records


def _of_imrmc(path: Path, lines: Sequence[str]) -> list[_Record]:
    rows: list[tuple[str, str, str, float]] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if any(cells):
            if len(cells) < 4:
                raise InputError(f"Line {number} of the data of `{path}` must have four cells, got {line!r:.60}.")
            score = _number(cells[3], f"Line {number} of the data of `{path}`")
            rows.append((cells[0], cells[1], cells[2], score))
    truths = {case: score > 0 for reader, case, _, score in rows if reader.lower() in (_TRUTH, "-1")}
    readings = [row for row in rows if row[0].lower() not in (_TRUTH, "-1")]
    lacking = [case for _, case, _, _ in readings if case not in truths]
    if lacking:
        raise InputError(f"`{path}` must have the truth of every case, but lacks that of {lacking[0]}.")
    return [(method, reader, case, truths[case], score) for reader, case, method, score in readings]


def _number(text: str, place: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{place} must have a number, got {text!r:.40}.") from None
