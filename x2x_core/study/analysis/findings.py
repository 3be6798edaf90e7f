"""Findings named, with place and level: shares of edits whose request was seen, by method and reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch

from x2x_core.evaluation.metrics.wilson import wilson
from x2x_core.language.vocabulary import COURSES
from x2x_core.study.design.parts import study_level
from x2x_core.study.design.questions import NONE, STUDY_LEVELS
from x2x_core.study.statistics.agreement import kappa
from x2x_core.study.statistics.figures import shares
from x2x_core.study.statistics.obuchowski_rockette import mean_of
from x2x_core.study.statistics.paired import compare_pairs

from .readings import PartReadings, Reading
from .sections import NOTHING, Section, Table, estimate_text, number_text, p_text, plain, share_text

_Readers = Mapping[str, Mapping[str, Reading]]
_Box = Sequence[float]


def findings(part: PartReadings, generator: torch.Generator) -> list[Section]:
    """Return the section of the tasks about the main finding.

    Args:
        part: readings of the part; readers who did not finish it are left out.
        generator: draws the resamples of kappa's intervals.
    """
    finished = part.finished()
    readers = {
        reader: {case: reading for case, reading in of.items() if not reading.truth["method"] or is_known(reading)}
        for reader, of in finished.items()
    }
    if not readers:
        return []
    unread = len(next(iter(finished.values()))) - len(next(iter(readers.values())))
    first = next(iter(readers.values()))
    methods = sorted({reading.truth["method"] for reading in first.values() if reading.truth["method"]})
    tables: list[Table] = []
    notes: list[str] = []
    record: dict[str, Any] = {}
    if unread:
        notes.append(f"Edits whose instruction cannot be read are left out: {unread}.")
    for method in methods:
        table, facts = _method(readers, method, generator)
        tables.append(table)
        record[method] = facts
    for reference, second in combinations(methods, 2):
        table, facts = _paired(readers, reference, second)
        if table.rows:
            tables.append(table)
            record[f"{reference} - {second}"] = facts
    unedited = {
        reader: [reading for reading in of.values() if reading.truth["method"] is None]
        for reader, of in readers.items()
    }
    named = {
        reader: wilson(sum(not _named(reading, (NONE,)) for reading in of), len(of)) for reader, of in unedited.items()
    }
    if any(metric.n for metric in named.values()):
        tables.append(
            Table(("Unedited pictures", "A finding named"), tuple((r, share_text(m)) for r, m in named.items()))
        )
        record["unedited"] = named
    if len(readers) > 1:
        record["kappa"] = kappa(
            [[reading.row["finding"] for reading in of.values()] for of in readers.values()], generator
        )
        notes.append(f"Agreement of the readers on the finding (kappa): {number_text(record['kappa'])}")
    return [Section("findings", "Findings", tuple(tables), plain(record), tuple(notes))]


def is_right(reading: Reading) -> bool:
    """Return True if the requested finding was named; after a removal, if the removed one was not.

    The truth must say what was added or removed, see `is_known`.
    """
    if reading.truth["added"]:
        return _named(reading, reading.truth["added"])
    return not _named(reading, reading.truth["removed"])


def is_known(reading: Reading) -> bool:
    """Return True if the instruction of an edit could be read."""
    return bool(reading.truth["added"] or reading.truth["removed"])


def overlap(first: _Box, second: _Box) -> float:
    """Return the intersection over the union of two boxes (left, top, right, bottom)."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)


def points_into(box: _Box, truths: Sequence[_Box]) -> bool:
    """Return True if the middle of a box lies in one of others."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(truth[0] <= x < truth[2] and truth[1] <= y < truth[3] for truth in truths)


def _named(reading: Reading, names: Sequence[str]) -> bool:
    return reading.row["finding"] in names


def _method(readers: _Readers, method: str, generator: torch.Generator) -> tuple[Table, dict[str, Any]]:
    rows: list[tuple[str, ...]] = []
    facts: dict[str, Any] = {}
    for reader, readings in readers.items():
        edits = [reading for reading in readings.values() if reading.truth["method"] == method]
        boxed = [
            reading for reading in edits if reading.row.get("box") and reading.truth["boxes"] and is_right(reading)
        ]
        hits = [points_into(reading.row["box"]["box"], reading.truth["boxes"]) for reading in boxed]
        overlaps = [max(overlap(reading.row["box"]["box"], box) for box in reading.truth["boxes"]) for reading in boxed]
        levels = [
            (reading.row["level"], study_level(reading.truth["level"])) for reading in edits if _has_level(reading)
        ]
        of_reader: dict[str, Any] = {
            "right": wilson(sum(map(is_right, edits)), len(edits)),
            "pointed": wilson(sum(hits), len(hits)),
            "mean_overlap": float(np.mean(overlaps)) if overlaps else None,
            "level": wilson(sum(given == true for given, true in levels), len(levels)),
        }
        if len(levels) > 1:
            said, true = map(list, zip(*levels, strict=True))
            of_reader["level_kappa"] = kappa([said, true], generator, STUDY_LEVELS)
        facts[reader] = of_reader
        rows.append((reader, share_text(of_reader["right"]), share_text(of_reader["pointed"]),
                     NOTHING if not overlaps else f"{np.mean(overlaps):.2f}", share_text(of_reader["level"]),
                     number_text(of_reader.get("level_kappa"))))  # fmt: skip
    correct = np.array(
        [[is_right(reading) for reading in of.values() if reading.truth["method"] == method] for of in readers.values()]
    )
    if correct.shape[1] > 1:
        mean = mean_of(shares(correct[None], (method,), tuple(readers)))
        facts["mean"] = mean
        rows.append(("mean", estimate_text(mean), "", "", "", ""))
    headings = (
        f"Edits of {method}",
        "As requested",
        "Middle of the box in the region",
        "Overlap",
        "Level",
        "Level, kappa",
    )
    return Table(headings, tuple(rows)), facts


def _has_level(reading: Reading) -> bool:
    truth = reading.truth
    return "level" in reading.row and bool(truth["level"]) and truth["level"] not in COURSES and is_right(reading)


def _paired(readers: _Readers, first: str, second: str) -> tuple[Table, dict[str, Any]]:
    """Compare two methods on the edits that both made, for each reader."""
    rows: list[tuple[str, ...]] = []
    facts: dict[str, Any] = {}
    for reader, readings in readers.items():
        right = {
            method: {
                (reading.truth["source"], reading.truth["instruction"]): is_right(reading)
                for reading in readings.values()
                if reading.truth["method"] == method
            }
            for method in (first, second)
        }
        both = sorted(set(right[first]) & set(right[second]))
        if not both:
            continue
        found = compare_pairs(*([right[method][edit] for edit in both] for method in (first, second)))
        facts[reader] = found
        rows.append((reader, str(len(both)), str(found.first), str(found.second), p_text(found.p)))
    headings = (f"{first} and {second}", "Pairs", f"Only {first} right", f"Only {second} right", "McNemar, exact")
    return Table(headings, tuple(rows)), facts
