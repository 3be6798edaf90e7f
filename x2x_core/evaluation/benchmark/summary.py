"""From the scores of all pairs to the record that is reported: every measure of every row with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from x2x_core.evaluation.metrics.bootstrap import draw_counts
from x2x_core.evaluation.metrics.correlation import pearson
from x2x_core.evaluation.metrics.fid_interval import fid_with_interval
from x2x_core.evaluation.results import TARGET, Metric, Metrics, ResultRow
from x2x_core.language.instruction import Instruction

from .measures import BENCHMARK_MEASURES, OF_PAIRS
from .readings import Readings, attribute_shifts
from .rows import REFERENCES
from .statistics import as_values, estimates, metric

NOT_READ = "the networks that read attributes are not installed"


@dataclass(frozen=True)
class Scored:
    """All that was measured: pairs in order, and for each row one record a pair (``None``: not edited in this way)."""

    instructions: tuple[str, ...]
    bodies: tuple[int, ...]  # of which each pair is
    rows: Mapping[str, Sequence[Mapping[str, Any] | None]]
    seed: int  # of the bootstrap
    readings: Mapping[str, Readings] = field(default_factory=dict)  # of the pairs that each row has
    attributes: tuple[str, ...] = ()  # that were read
    truth: torch.Tensor | None = None  # of the attributes, `(n, A)`

    def counts(self) -> torch.Tensor:
        """The bootstrap's weights `(R, n)`: bodies are drawn whole."""
        return draw_counts(self.bodies, torch.Generator().manual_seed(self.seed))

    def known(self, row: str) -> torch.Tensor:
        """The numbers of the pairs that a row has."""
        return torch.tensor([number for number, one in enumerate(self.rows[row]) if one is not None])

    def values(self, row: str, key: str) -> torch.Tensor:
        """A score of each pair `(n,)`, nan where there is none."""
        if key in ("attribute_shift", "attribute_worst"):
            return self._shifts(row, key)
        return as_values([None if one is None else one[key] for one in self.rows[row]])

    def _shifts(self, row: str, key: str) -> torch.Tensor:
        found = torch.full((len(self.instructions),), torch.nan, dtype=torch.float64)
        if row in self.readings:
            shifts = self.shifts(row)
            found[self.known(row)] = shifts.mean(1) if key == "attribute_shift" else shifts.amax(1)
        return found

    def shifts(self, row: str) -> torch.Tensor:
        """Of each pair that the row has, and attribute: see `attribute_shifts`."""
        target = self.readings[TARGET].attributes[self.known(row)]
        return attribute_shifts(self.readings[row].attributes, target, self.truth)

    def groups(self) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Which pairs are of each finding and of each operation, bool `(n,)`."""
        clauses = [Instruction.parse(text).clauses[0] for text in self.instructions]
        findings, operations = [one.finding for one in clauses], [one.operation.value for one in clauses]
        return _masks(findings), _masks(operations)


def _masks(names: Sequence[str]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([one == name for one in names]) for name in sorted(set(names))}


def summarise(scored: Scored) -> tuple[ResultRow, ...]:
    """Every measure of every row: over all pairs, for each finding and for each operation."""
    counts = scored.counts()
    findings, operations = scored.groups()
    rows = []
    for name in scored.rows:
        values = torch.stack([scored.values(name, one.key) for one in OF_PAIRS])
        overall = {**_of_pairs(values, counts), **_of_sets(scored, name, counts)}
        rows.append(
            ResultRow(
                name,
                {one.key: overall[one.key] for one in BENCHMARK_MEASURES},
                {key: _of_group(values, mask, counts) for key, mask in findings.items()},
                {key: _of_group(values, mask, counts) for key, mask in operations.items()},
            )
        )
    return tuple(rows)


def _of_pairs(values: torch.Tensor, counts: torch.Tensor) -> Metrics:
    found = estimates(values, counts, [one.statistic for one in OF_PAIRS])
    return {one.key: metric for one, metric in zip(OF_PAIRS, found)}


def _of_group(values: torch.Tensor, mask: torch.Tensor, counts: torch.Tensor) -> Metrics:
    return _of_pairs(values.masked_fill(~mask, torch.nan), counts)


def _of_sets(scored: Scored, row: str, counts: torch.Tensor) -> Metrics:
    """The measures that are no mean of one number a pair."""
    if row not in scored.readings:
        return {key: Metric(None, note=NOT_READ) for key in ("attribute_r", "attribute_worst_r", "fid")}
    known, features = scored.known(row), scored.readings[row].features
    correlations = attribute_correlations(scored, row, counts[:, known])
    whole, drawn = correlations[0], correlations[1:]
    worst = int(whole.nan_to_num(2).argmin())
    return {
        "attribute_r": metric(float(whole.nanmean()), drawn.nanmean(1), len(known)),
        "attribute_worst_r": metric(float(whole[worst]), drawn[:, worst], len(known), scored.attributes[worst]),
        "fid": fid_with_interval(features, scored.readings[TARGET].features[known], counts[:, known]),
    }


def attribute_correlations(scored: Scored, row: str, counts: torch.Tensor) -> torch.Tensor:
    """Pearson's correlation of readings with what was drawn: `(1 + R, A)`, the first for all pairs, then resamples."""
    known = scored.known(row)
    weights = torch.cat([torch.ones(1, counts.shape[1], dtype=counts.dtype), counts])
    read, truth = scored.readings[row].attributes, scored.truth[known]
    return torch.stack([pearson(read[:, one], truth[:, one], weights) for one in range(read.shape[1])], dim=1)


def attribute_table(scored: Scored) -> dict[str, dict[str, dict[str, float]]]:
    """For each row and attribute: "r", the correlation with what was drawn; "shift", mean, and "worst", largest shift
    from the real target's reading, in standard deviations.
    """
    table = {}
    for row in scored.readings:
        found = attribute_correlations(scored, row, torch.ones(1, len(scored.known(row)), dtype=torch.float64))[0]
        shifts = scored.shifts(row)
        table[row] = {
            name: {"r": _finite(found[n]), "shift": float(shifts[:, n].mean()), "worst": float(shifts[:, n].max())}
            for n, name in enumerate(scored.attributes)
        }
    return table


def _finite(value: torch.Tensor) -> float | None:
    return float(value) if torch.isfinite(value) else None


def cost(scored: Scored) -> dict[str, float]:
    """Processor seconds of an edit in each row that a model made."""
    rows = [name for name in scored.rows if name not in REFERENCES]
    return {name: round(float(scored.values(name, "seconds").nanmean()), 3) for name in rows}
