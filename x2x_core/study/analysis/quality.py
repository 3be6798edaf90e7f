"""Quality of the readers' work: completeness, attention checks, repeated cases, time."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from x2x_core.evaluation.metrics.wilson import wilson
from x2x_core.study.design.drafts import CASE, CHECK, REPEAT

from .readings import PartReadings, Reading
from .sections import NOTHING, Section, Table, plain, share_text


def quality(parts: Mapping[str, PartReadings]) -> Section:
    """Return the section about how the readers worked."""
    rows: list[tuple[str, ...]] = []
    record: dict[str, Any] = {}
    for part in parts.values():
        for reader, readings in part.readings.items():
            passed, checks = passed_checks(readings)
            same = [
                _same(reading, readings[reading.of])
                for reading in readings.values()
                if reading.kind == REPEAT and reading.of is not None and reading.of in readings
            ]
            seconds = [reading.seconds for reading in readings.values() if reading.kind == CASE]
            facts: dict[str, Any] = {
                "answered": len(readings),
                "cases": len(part.cases),
                "checks_passed": passed,
                "checks": checks,
                "repeats_alike": wilson(sum(same), len(same)),
                "median_seconds": median(seconds) if seconds else None,
            }
            record.setdefault(part.name, {})[reader] = facts
            rows.append((part.name, reader, f"{len(readings)}/{len(part.cases)}",
                         f"{passed}/{checks}" if checks else NOTHING, share_text(facts["repeats_alike"]),
                         f"{median(seconds):.1f}" if seconds else NOTHING))  # fmt: skip
    headings = ("Part", "Reader", "Answered", "Attention checks", "Repeated cases answered alike", "Median seconds")
    return Section("quality", "Readers", (Table(headings, tuple(rows)),), plain(record))


def passed_checks(readings: Mapping[str, Reading]) -> tuple[int, int]:
    """Return how many attention checks were passed, and how many were answered."""
    checks = [reading for reading in readings.values() if reading.kind == CHECK]
    return sum(_passes(check) for check in checks), len(checks)


def _passes(check: Reading) -> bool:
    return all(check.row.get(question) == answer for question, answer in check.asked.items())


def _same(first: Reading, second: Reading) -> bool:
    """Return True if both readings of a case say the same; boxes and remarks may differ."""
    drop = ("box", "remark")
    plain_rows = [
        [{name: answer for name, answer in row.items() if name not in drop} for row in reading.rows]
        for reading in (first, second)
    ]
    return plain_rows[0] == plain_rows[1]
