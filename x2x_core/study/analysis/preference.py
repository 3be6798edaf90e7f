"""Preference between two methods, by reader and over all."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch

from x2x_core.evaluation.metrics.wilson import wilson
from x2x_core.study.design.questions import LEFT, RIGHT, SAME
from x2x_core.study.statistics.agreement import kappa
from x2x_core.study.statistics.paired import compare_preferences

from .readings import PartReadings, Reading
from .sections import Section, Table, number_text, p_text, plain, share_text


def preference(part: PartReadings, generator: torch.Generator) -> list[Section]:
    """Return the section of the preferences; readers who did not finish the part are left out."""
    readers = part.finished()
    if not readers:
        return []
    pairs = sorted({_methods(reading) for of in readers.values() for reading in of.values()})
    tables: list[Table] = []
    record: dict[str, Any] = {}
    notes: list[str] = []
    for first, second in pairs:
        rows: list[tuple[str, ...]] = []
        facts: dict[str, Any] = {}
        for reader, readings in readers.items():
            counts = Counter(
                reading.row["preferred"] for reading in readings.values() if _methods(reading) == (first, second)
            )
            decided = counts[LEFT] + counts[RIGHT]
            test, share = compare_preferences(counts[LEFT], counts[RIGHT]), wilson(counts[LEFT], decided)
            facts[reader] = {"first": counts[LEFT], "second": counts[RIGHT], "same": counts[SAME], "share": share,
                             "p": test.p}  # fmt: skip
            rows.append(
                (reader, str(counts[LEFT]), str(counts[RIGHT]), str(counts[SAME]), share_text(share), p_text(test.p))
            )
        headings = (f"{first} or {second}", first, second, "No difference", f"{first}, of those decided", "Sign test")
        tables.append(Table(headings, tuple(rows)))
        record[f"{first} - {second}"] = facts
    if len(readers) > 1:
        record["kappa"] = kappa(
            [[reading.row["preferred"] for reading in of.values()] for of in readers.values()], generator
        )
        notes.append(f"Agreement of the readers (kappa): {number_text(record['kappa'])}")
    return [Section("preference", "Two methods", tuple(tables), plain(record), tuple(notes))]


def _methods(reading: Reading) -> tuple[str, str]:
    return reading.truth["left"]["method"], reading.truth["right"]["method"]
