"""Scores of all pairs in all rows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from x2x_core.evaluation.metrics.attribute_shift import attribute_shifts
from x2x_core.evaluation.metrics.bootstrap import draw_counts
from x2x_core.evaluation.metrics.estimates import as_values
from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.results import TARGET
from x2x_core.language.instruction import Instruction

from .measures import MEASURES, OF_SETS
from .readings import Readings

NOT_READ = "the networks that read attributes are not installed"


@dataclass(frozen=True)
class BenchmarkScores:
    """All that was measured.

    Args:
        instructions: of the pairs.
        bodies: body of each pair; bodies are resampled whole.
        rows: for each row one record a pair, ``None`` if the pair was not edited in this way.
        seed: of the bootstrap.
        readings: by row, of the pairs that it has; empty without networks.
        attributes: names of the attributes that were read, A of them.
        truth: true attributes of all pairs, `(n, A)`.
        measures: of which the record has values.
        unread: the reason why there are no readings, if there are none.
        wilson: shares have Wilson's intervals instead of the bootstrap's.
    """

    instructions: tuple[str, ...]
    bodies: tuple[Hashable, ...]
    rows: Mapping[str, Sequence[Mapping[str, Any] | None]]
    seed: int
    readings: Mapping[str, Readings] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    truth: torch.Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.float64))
    measures: tuple[Measure, ...] = MEASURES
    unread: str = NOT_READ
    wilson: bool = False

    @property
    def of_pairs(self) -> tuple[Measure, ...]:
        """The measures that are a mean, a median or a share over pairs."""
        return tuple(measure for measure in self.measures if measure.key not in OF_SETS)

    def counts(self) -> torch.Tensor:
        """Return the bootstrap's weights `(R, n)`, the same at each call."""
        return draw_counts(self.bodies, torch.Generator().manual_seed(self.seed))

    def edited(self, row: str) -> torch.Tensor:
        """Return the indices of the pairs that a row has."""
        return torch.tensor([index for index, record in enumerate(self.rows[row]) if record is not None])

    def values(self, row: str, key: str) -> torch.Tensor:
        """Return a measure of each pair, `(n,)` float64, nan where there is none."""
        if key in ("attribute_shift", "attribute_worst"):
            return self._shift_of_pairs(row, key)
        return as_values([None if record is None else record.get(key) for record in self.rows[row]])

    def _shift_of_pairs(self, row: str, key: str) -> torch.Tensor:
        values = torch.full((len(self.instructions),), torch.nan, dtype=torch.float64)
        if row in self.readings:
            shifts = self.shifts(row)
            values[self.edited(row)] = shifts.mean(1) if key == "attribute_shift" else shifts.amax(1)
        return values

    def shifts(self, row: str) -> torch.Tensor:
        """Return the attribute shifts of the pairs that a row has, see `attribute_shifts`."""
        target = self.readings[TARGET].attributes[self.edited(row)]
        return attribute_shifts(self.readings[row].attributes, target, self.truth)

    def groups(self) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Return which pairs belong to each finding and to each operation, bool `(n,)`, by the first clause."""
        clauses = [Instruction.parse(text).clauses[0] for text in self.instructions]
        findings, operations = [clause.finding for clause in clauses], [clause.operation.value for clause in clauses]
        return _members(findings), _members(operations)


def _members(names: Sequence[str]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([other == name for other in names]) for name in sorted(set(names))}
