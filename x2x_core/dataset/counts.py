"""Counts of a build: rows and pairs read, kept and rejected, quality of registration, and example pairs."""

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
_NAMED = 20  # patients in several splits that the report names
EXAMPLES = 4  # example pairs for each operation


class BuildCounts:
    """Counts of a build, with a few example pairs for each operation; their size is independent of the dataset's."""

    def __init__(self, tables: sqlite3.Connection) -> None:
        self.types, self.pairs_seen = count_types(tables), count_pairs(tables)
        self.conflicts: Counter[str] = Counter()
        self.named_conflicts = list(islice(patients_in_conflict(tables), _NAMED))
        self.conflicts.update(split for _, split in patients_in_conflict(tables))
        self.rejected: Counter[str] = Counter()
        self.rejected_of_table: Counter[str] = Counter()
        self.pairs_built = 0
        self.histograms: dict[str, Counter[int]] = {"quality": Counter(), "overlap": Counter()}
        self.sums = dict.fromkeys(self.histograms, 0.0)
        self.statistics = Statistics()
        self._examples: dict[str, list[tuple[str, int, dict[str, Any]]]] = {
            operation.value: [] for operation in Operation
        }

    def add_pair(self, kept: list[dict[str, Any]]) -> None:
        """Count a pair by its rows of the dataset; a pair without rows was rejected."""
        if not kept:
            return
        self.pairs_built += 1
        for name, histogram in self.histograms.items():
            value = kept[0][name]
            histogram[min(_BINS - 1, max(0, int(value * _BINS)))] += 1
            self.sums[name] += value

    def add_instruction(self, kept: dict[str, Any], clauses: list[Clause]) -> None:
        """Count one row of the dataset."""
        self.statistics.add(kept["split"], clauses)
        for operation in {clause.operation.value for clause in clauses}:
            self._offer(operation, kept)

    def _offer(self, operation: str, kept: dict[str, Any]) -> None:
        """Keep the rows with the highest hashes as examples: spread over the dataset, and the same in every run."""
        key = hashlib.sha256(f"{kept['past_dicom_id']} {kept['row']}".encode()).hexdigest()
        examples = self._examples[operation]
        push = heapq.heappush if len(examples) < EXAMPLES else heapq.heappushpop
        push(examples, (key, kept["row"], kept))

    def add_rejection(self, row: dict[str, Any]) -> None:
        """Count one row of the list of rejections."""
        self.rejected[row["reason"]] += 1
        if row["table"] != "questions":
            self.rejected_of_table[row["table"]] += 1

    @property
    def examples(self) -> dict[str, list[dict[str, Any]]]:
        """Example rows of the dataset by operation."""
        return {
            name: [kept for *_, kept in sorted(examples, reverse=True)] for name, examples in self._examples.items()
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the counts of `report.json`."""
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
        histogram = self.histograms[name]
        bins = {
            f"{number / _BINS:.2f} to {(number + 1) / _BINS:.2f}": histogram[number] for number in sorted(histogram)
        }
        return {"mean": round(self.sums[name] / max(1, self.pairs_built), 4), "pairs": bins}
