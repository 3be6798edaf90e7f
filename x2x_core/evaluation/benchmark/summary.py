"""From the scores of all pairs to the rows of a record: every measure of every row with its interval."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch

from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES, is_one_group
from x2x_core.evaluation.metrics.estimates import estimates, metric, paired_difference
from x2x_core.evaluation.metrics.fid_interval import fid_with_interval
from x2x_core.evaluation.results import TARGET, Metric, Metrics, ResultRow

from .attributes import attribute_correlations
from .measures import MEASURES, OF_PAIRS, OF_SETS
from .rows import OURS, REFERENCES
from .scores import BenchmarkScores

NOT_READ = "the networks that read attributes are not installed"
INTERVALS = f"{LEVEL:.0%} percentile bootstrap, {RESAMPLES} resamples of"


def summarise(scores: BenchmarkScores) -> tuple[ResultRow, ...]:
    """Return every measure of every row: over all pairs, for each finding and for each operation."""
    counts = scores.counts()
    findings, operations = scores.groups()
    rows = []
    for name in scores.rows:
        values = torch.stack([scores.values(name, measure.key) for measure in OF_PAIRS])
        overall = {**_over_pairs(values, counts), **_over_sets(scores, name, counts)}
        rows.append(
            ResultRow(
                name,
                {measure.key: overall[measure.key] for measure in MEASURES},
                {finding: _over_group(values, members, counts) for finding, members in findings.items()},
                {operation: _over_group(values, members, counts) for operation, members in operations.items()},
            )
        )
    return tuple(rows)


def _over_pairs(values: torch.Tensor, counts: torch.Tensor) -> Metrics:
    found = estimates(values, counts, [measure.statistic for measure in OF_PAIRS])
    return {measure.key: value for measure, value in zip(OF_PAIRS, found)}


def _over_group(values: torch.Tensor, members: torch.Tensor, counts: torch.Tensor) -> Metrics:
    return _over_pairs(values.masked_fill(~members, torch.nan), counts)


def _over_sets(scores: BenchmarkScores, row: str, counts: torch.Tensor) -> Metrics:
    """Return the measures of `OF_SETS`."""
    if row not in scores.readings:
        return {key: Metric(None, note=NOT_READ) for key in OF_SETS}
    edited, features = scores.edited(row), scores.readings[row].features
    correlations = attribute_correlations(scores, row, counts[:, edited])
    whole, drawn = correlations[0], correlations[1:]
    if is_one_group(counts[:, edited]):
        drawn = torch.full_like(drawn, torch.nan)
    worst = int(whole.nan_to_num(2).argmin())
    return {
        "attribute_r": metric(float(whole.nanmean()), drawn.nanmean(1), len(edited)),
        "attribute_worst_r": metric(float(whole[worst]), drawn[:, worst], len(edited), scores.attributes[worst]),
        "fid": fid_with_interval(features, scores.readings[TARGET].features[edited], counts[:, edited]),
    }


def minus_ours(scores: BenchmarkScores) -> dict[str, dict[str, dict[str, Any]]]:
    """Return each row's measures minus ours over the pairs of both, with intervals. Empty without a row of ours."""
    if OURS not in scores.rows:
        return {}
    counts = scores.counts()
    ours = {measure.key: scores.values(OURS, measure.key) for measure in OF_PAIRS}
    return {
        row: {
            one.key: asdict(paired_difference(scores.values(row, one.key), ours[one.key], counts, one.statistic))
            for one in OF_PAIRS
        }
        for row in scores.rows
        if row != OURS
    }


def largest_change_outside_mask(scores: BenchmarkScores) -> dict[str, float]:
    """Return the largest change outside the guidance mask in each row that a model made; must be 0."""
    return {name: float(scores.values(name, "changed_outside_mask").nan_to_num().max()) for name in edited_rows(scores)}


def seconds_per_edit(scores: BenchmarkScores) -> dict[str, float]:
    """Return the processor seconds of an edit in each row that a model made."""
    return {name: round(float(scores.values(name, "seconds").nanmean()), 3) for name in edited_rows(scores)}


def edited_rows(scores: BenchmarkScores) -> list[str]:
    """Return the names of the rows that a model made."""
    return [name for name in scores.rows if name not in REFERENCES]
