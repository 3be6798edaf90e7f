"""Counts of operations, findings, levels, places and splits in the instructions of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from x2x_core.language.clauses import Clause, Operation

UNSAID = "not said"


class Statistics:
    """Counts over a stream of instructions; their size is limited by the vocabulary.

    An instruction is counted once in its split, and each of its clauses once in all other counts. A change is counted
    with its new level; `changes` counts the pairs of levels.
    """

    def __init__(self) -> None:
        self.instructions = self.clauses = self.unread = 0
        self.splits: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.findings: dict[str, Counter[str]] = {}
        self.levels: Counter[str] = Counter()
        self.locations: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()

    def add(self, split: str, clauses: Sequence[Clause]) -> None:
        """Count one instruction; without clauses it counts as not understood."""
        self.instructions += 1
        self.splits[split] += 1
        self.unread += not clauses
        self.lengths[len(clauses)] += 1
        for clause in clauses:
            self._add_clause(clause)

    def _add_clause(self, clause: Clause) -> None:
        self.clauses += 1
        self.operations[clause.operation.value] += 1
        self.findings.setdefault(clause.finding, Counter())[clause.operation.value] += 1
        self.levels[clause.level or UNSAID] += 1
        self.locations[" ".join(word for word in (clause.side, clause.zone) if word) or UNSAID] += 1
        if clause.operation is Operation.CHANGE:
            self.changes[f"{clause.level_from or UNSAID} to {clause.level}"] += 1

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON, the most frequent first, equal ones by name."""
        findings = {
            name: {"all": counts.total(), **{op.value: counts[op.value] for op in Operation}}
            for name, counts in sorted(self.findings.items(), key=lambda item: (-item[1].total(), item[0]))
        }
        return {
            "instructions": self.instructions,
            "not_read": self.unread,
            "clauses": self.clauses,
            "clauses_per_instruction": {str(count): number for count, number in sorted(self.lengths.items())},
            "splits": ordered(self.splits),
            "operations": ordered(self.operations),
            "findings": findings,
            "levels": ordered(self.levels),
            "level_changes": ordered(self.changes),
            "locations": ordered(self.locations),
        }


def ordered(counts: Counter[str]) -> dict[str, int]:
    """Return a counter as a dictionary, the most frequent first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], str(item[0]))))
