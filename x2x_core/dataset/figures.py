"""The figures of a build: what was read, kept and rejected, how well pairs were registered, and example pairs."""

from __future__ import annotations

import hashlib
import heapq
import sqlite3
from collections import Counter
from itertools import islice
from typing import Any

from x2x_core.language.clauses import Clause, Operation

from .questions import DIFFERENCE, count_pairs, count_types, patients_in_conflict
from .rejections import Reason
from .statistics import Statistics, ordered

_BINS = 20  # of the histograms of quality and overlap, over [0, 1]
_NAMED = 20  # patients in conflict that the report names
EXAMPLES = 4  # pairs shown for each operation


class BuildFigures:
    """Counts of a build, and a few example pairs for each operation; their size does not grow with the dataset."""

    def __init__(self, tables: sqlite3.Connection) -> None:
        self.types, self.pairs_seen = count_types(tables), count_pairs(tables)
        self.conflicts: Counter[str] = Counter()
        self.named_conflicts = list(islice(patients_in_conflict(tables), _NAMED))
        self.conflicts.update(split for _, split in patients_in_conflict(tables))
        self.rejected: Counter[str] = Counter()
        self.rejected_of_table: Counter[str] = Counter()
        self.pairs_built = 0
        self.quality, self.overlap = Counter(), Counter()
        self.sums = Counter()
        self.statistics = Statistics()
        self._examples: dict[str, list] = {operation.value: [] for operation in Operation}

    def add_pair(self, kept: list[dict[str, Any]]) -> None:
        """Count a pair by the lines that came of it; none: it was rejected."""
        if not kept:
            return
        self.pairs_built += 1
        for name, histogram in (("quality", self.quality), ("overlap", self.overlap)):
            value = kept[0][name]
            histogram[min(_BINS - 1, max(0, int(value * _BINS)))] += 1
            self.sums[name] += value

    def add_instruction(self, kept: dict[str, Any], clauses: list[Clause]) -> None:
        """Count one line of the dataset."""
        self.statistics.add(kept["split"], clauses)
        for operation in {clause.operation.value for clause in clauses}:
            self._offer(operation, kept)

    def _offer(self, operation: str, kept: dict[str, Any]) -> None:
        """Keep the few whose names hash highest: spread over the dataset, and the same in every run."""
        key = hashlib.sha256(f"{kept['past_dicom_id']} {kept['row']}".encode()).hexdigest()
        examples = self._examples[operation]
        push = heapq.heappush if len(examples) < EXAMPLES else heapq.heappushpop
        push(examples, (key, kept["row"], kept))

    def add_rejection(self, row: dict[str, Any]) -> None:
        """Count one line of the list of rejections."""
        self.rejected[row["reason"]] += 1
        if row["table"] != "questions":
            self.rejected_of_table[row["table"]] += 1

    @property
    def examples(self) -> dict[str, list[dict[str, Any]]]:
        """Lines of the dataset by operation."""
        return {name: [kept for *_, kept in sorted(found, reverse=True)] for name, found in self._examples.items()}

    def as_dict(self) -> dict[str, Any]:
        """What `report.json` says."""
        difference = self.types.get(DIFFERENCE, 0)
        reasons = {reason.value: self.rejected[reason.value] for reason in Reason if self.rejected[reason.value]}
        return {
            "rows": {
                "well_formed": sum(self.types.values()),
                "by_question_type": self.types,
                "difference": difference,
                "kept": self.statistics.instructions,
                "rejected": reasons,
                "malformed_by_table": ordered(self.rejected_of_table),
            },
            "pairs": {"seen": self.pairs_seen, "built": self.pairs_built},
            "patients_in_several_splits": {
                "patients": self.conflicts.total(),
                "went_to": ordered(self.conflicts),
                "first": [{"subject_id": subject, "split": split} for subject, split in self.named_conflicts],
            },
            "registration": {"quality": self._spread("quality"), "overlap": self._spread("overlap")},
            "dataset": self.statistics.as_dict(),
        }

    def _spread(self, name: str) -> dict[str, Any]:
        histogram = {"quality": self.quality, "overlap": self.overlap}[name]
        bins = {
            f"{number / _BINS:.2f} to {(number + 1) / _BINS:.2f}": histogram[number] for number in sorted(histogram)
        }
        return {"mean": round(self.sums[name] / max(1, self.pairs_built), 4), "pairs": bins}
