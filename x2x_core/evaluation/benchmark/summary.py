"""From the scores of all pairs to the rows of a record: every measure of every row with its interval."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any

import torch

from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES, is_one_group
from x2x_core.evaluation.metrics.estimates import estimates, metric, paired_difference
from x2x_core.evaluation.metrics.fid_interval import fid_with_interval
from x2x_core.evaluation.metrics.wilson import wilson
from x2x_core.evaluation.results import TARGET, Metric, Metrics, ResultRow

from .attributes import attribute_correlations
from .measures import OF_SETS, SHARES
from .rows import OURS, REFERENCES
from .scores import BenchmarkScores

INTERVALS = f"{LEVEL:.0%} percentile bootstrap, {RESAMPLES} resamples of"


def summarise(scores: BenchmarkScores) -> tuple[ResultRow, ...]:
    """Return every measure of every row: over all pairs, for each finding and for each operation."""
    counts = scores.counts()
    findings, operations = scores.groups()
    rows = []
    for name in scores.rows:
        values = torch.stack([scores.values(name, measure.key) for measure in scores.of_pairs])
        overall = {**_over_group(scores, values, counts), **_over_sets(scores, name, counts)}
        rows.append(
            ResultRow(
                name,
                {measure.key: overall[measure.key] for measure in scores.measures},
                {finding: _over_group(scores, values, counts, members) for finding, members in findings.items()},
                {operation: _over_group(scores, values, counts, members) for operation, members in operations.items()},
            )
        )
    return tuple(rows)


def _over_group(
    scores: BenchmarkScores, values: torch.Tensor, counts: torch.Tensor, members: torch.Tensor | None = None
) -> Metrics:
    """Return the measures of single pairs over some of the pairs, or all."""
    if members is not None:
        values = values.masked_fill(~members, torch.nan)
    found = estimates(values, counts, [measure.statistic for measure in scores.of_pairs])
    if scores.wilson:
        found = [
            _share(of_pairs) if measure.key in SHARES else value
            for measure, of_pairs, value in zip(scores.of_pairs, values, found)
        ]
    return {measure.key: value for measure, value in zip(scores.of_pairs, found)}


def _share(values: torch.Tensor) -> Metric:
    """Return the share of the pairs with a value of 1, nan left out."""
    known = values[~values.isnan()]
    return wilson(int(known.sum()), len(known))


def _over_sets(scores: BenchmarkScores, row: str, counts: torch.Tensor) -> Metrics:
    """Return the measures of `OF_SETS`."""
    if row not in scores.readings:
        return {key: Metric(None, note=scores.unread) for key in OF_SETS}
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
    ours = {measure.key: scores.values(OURS, measure.key) for measure in scores.of_pairs}
    return {
        row: {
            one.key: asdict(paired_difference(scores.values(row, one.key), ours[one.key], counts, one.statistic))
            for one in scores.of_pairs
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


def median_seconds(scores: BenchmarkScores) -> dict[str, float]:
    """Return the median time of an edit in seconds in each row that a model made, of edits in one batch a body."""
    waited = {name: scores.values(name, "waited") for name in edited_rows(scores)}
    return {
        name: round(statistics.median(known), 3)
        for name, values in waited.items()
        if (known := values[~values.isnan()].tolist())
    }


def edited_rows(scores: BenchmarkScores) -> list[str]:
    """Return the names of the rows that a model made."""
    return [name for name in scores.rows if name not in REFERENCES]
