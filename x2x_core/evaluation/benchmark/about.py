"""Description of the rows and measures of a comparison, for its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .rows import OURS, REFERENCES, UNRESTRICTED, Row
from .scores import BenchmarkScores
from .summary import largest_change_outside_mask, minus_ours

NOTICE = (
    "Everything here is synthetic: radiographs simulated from one CT, with body shapes, poses, exposures and lesions "
    "that no training has seen. It says nothing about real radiographs and is not for diagnosis."
)


def describe_rows(rows: Sequence[Row], scores: BenchmarkScores, notice: str = NOTICE) -> dict[str, Any]:
    """Return the entries of a record's "about" that every comparison has."""
    return {
        "synthetic": True,
        "unit": "simulated pairs",
        "notice": notice,
        "row_notes": {row.name: row.note for row in rows},
        "ours": OURS,
        "unrestricted": UNRESTRICTED,
        "references": [row.name for row in rows if row.name in REFERENCES],
        "measures": {measure.key: asdict(measure) for measure in scores.measures},
        "largest_change_outside_mask": largest_change_outside_mask(scores),
        "minus_ours": minus_ours(scores),
    }
