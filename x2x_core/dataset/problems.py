"""Problems that a check of a dataset finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One problem: its kind and its description; `row` is the row of the table at fault, if any."""

    kind: str
    text: str
    row: int | None = None


@dataclass
class CheckResult:
    """Result of a check; a dataset without problems is complete and readable."""

    statistics: dict[str, Any]
    problems: list[Problem]
    notes: list[str] = field(default_factory=list)

    def by_kind(self) -> dict[str, list[Problem]]:
        """Return the problems of each kind, in the order of the table."""
        kinds: dict[str, list[Problem]] = {}
        for problem in sorted(self.problems, key=lambda problem: (problem.row or 0, problem.text)):
            kinds.setdefault(problem.kind, []).append(problem)
        return dict(sorted(kinds.items()))

    def as_dict(self) -> dict[str, Any]:
        """Return the result for JSON."""
        problems = {kind: [asdict(problem) for problem in group] for kind, group in self.by_kind().items()}
        return {"complete": not self.problems, "dataset": self.statistics, "problems": problems, "notes": self.notes}
