"""Means, medians and paired differences over pairs with bootstrap intervals, for several measures at once.

Resamples are weights of the pairs, see `x2x_core.evaluation.metrics.bootstrap.draw_counts`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from x2x_core.common.errors import InputError
from x2x_core.evaluation.results import Metric

from .bootstrap import ONE_PATIENT, is_one_group, percentile_bounds

UNDEFINED = "no pair has a value"
STATISTICS = ("mean", "median")


def as_values(scores: Sequence[float | None]) -> torch.Tensor:
    """Return one score a pair as `(n,)` float64, nan for ``None``."""
    return torch.tensor([torch.nan if score is None else float(score) for score in scores], dtype=torch.float64)


def weighted_means(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return weighted means over pairs, leaving out nan.

    Args:
        values: `(K, n)` float64.
        weights: `(R, n)`, at least 0.

    Returns:
        `(R, K)`; nan if no pair with a value has weight.
    """
    known = ~values.isnan()
    return (weights @ values.nan_to_num().T) / (weights @ known.double().T)


def weighted_mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean of one measure, leaving out nan.

    Args:
        values: `(n,)`.
        weights: `(R, n)`, at least 0.

    Returns:
        `(R,)` float64; nan if no pair with a value has weight.
    """
    defined = ~values.isnan()
    counted = weights.double()[:, defined]
    return (counted * values.double()[defined]).sum(1) / counted.sum(1)


def mean_of_defined(columns: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the mean of several `(R,)`, leaving out nan; nan where all are nan."""
    return torch.stack(list(columns)).nanmean(0)


def weighted_median(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted median over pairs, leaving out nan.

    With weights of 1 this is the usual median: the middle value, or the mean of the two middle values of an even count.

    Args:
        values: `(n,)` float64.
        weights: `(R, n)`, at least 0.

    Returns:
        `(R,)`; nan if no pair with a value has weight.
    """
    known = ~values.isnan()
    ranked, order = values[known].sort()
    if not len(ranked):
        return torch.full((len(weights),), torch.nan, dtype=torch.float64)
    reached = weights[:, known][:, order].cumsum(1)
    half = reached[:, -1:] / 2
    last = len(ranked) - 1
    low = torch.searchsorted(reached, half, right=False).clamp_max(last)
    high = torch.searchsorted(reached, half, right=True).clamp_max(last)
    return torch.where(half[:, 0] > 0, (ranked[low] + ranked[high])[:, 0] / 2, torch.nan)


def estimates(values: torch.Tensor, counts: torch.Tensor, statistics: Sequence[str]) -> list[Metric]:
    """Estimate a mean or median over pairs with its 95 % interval, for each of several measures.

    Args:
        values: `(K, n)` float64, nan where a pair has no value.
        counts: how often each pair is in each resample, `(R, n)`.
        statistics: "mean" or "median", one for each measure.

    Returns:
        The estimates; without bounds if all pairs that have a value are drawn together.

    Raises:
        InputError: another statistic, or numbers of pairs that differ.
    """
    if unknown := [name for name in statistics if name not in STATISTICS]:
        raise InputError(f"`statistics` must each be one of {', '.join(STATISTICS)}, got {unknown[0]!r}.")
    if values.shape[1] != counts.shape[1]:
        raise InputError(f"`values` must hold one for each of {counts.shape[1]} pairs, got {values.shape[1]}.")
    ones = torch.ones(1, values.shape[1], dtype=torch.float64)
    whole, drawn = weighted_means(values, ones), weighted_means(values, counts)
    for index in (index for index, name in enumerate(statistics) if name == "median"):
        whole[:, index] = weighted_median(values[index], ones)
        drawn[:, index] = weighted_median(values[index], counts)
    known = ~values.isnan()
    return [_estimate(float(whole[0, index]), drawn[:, index], counts[:, known[index]]) for index in range(len(values))]


def _estimate(value: float, drawn: torch.Tensor, counts: torch.Tensor) -> Metric:
    """Return a value with its interval, none if the pairs that have it are drawn together, `counts` `(R, m)`."""
    count = counts.shape[1]
    if count and is_one_group(counts):
        return Metric(value, n=count, note=ONE_PATIENT)
    return metric(value, drawn, count)


def metric(value: float, drawn: torch.Tensor, count: int, note: str = "") -> Metric:
    """Return a value with the interval of its resamples `(R,)`; undefined resamples are left out."""
    if value != value:
        return Metric(None, n=count, note=note or UNDEFINED)
    low, high = percentile_bounds(drawn)
    return Metric(value, low, high, count, note) if low == low else Metric(value, n=count, note=note)


def paired_difference(
    first: torch.Tensor, second: torch.Tensor, counts: torch.Tensor, statistic: str = "mean"
) -> Metric:
    """Estimate the statistic of `first` minus that of `second` over the pairs that have both values.

    Args:
        first: `(n,)` float64, nan where a pair has no value.
        second: like `first`.
        counts: how often each pair is in each resample, `(R, n)`.
        statistic: "mean" or "median". The difference of medians is not the median of differences.
    """
    if statistic == "mean":
        return estimates((first - second)[None], counts, ("mean",))[0]
    both = ~(first.isnan() | second.isnan())
    ones = torch.ones(1, len(first), dtype=torch.float64)
    kept = [values.masked_fill(~both, torch.nan) for values in (first, second)]
    whole, drawn = (weighted_median(kept[0], weights) - weighted_median(kept[1], weights) for weights in (ones, counts))
    return _estimate(float(whole), drawn, counts[:, both])
