"""Means, medians and their differences over pairs with intervals from weights: a cluster bootstrap in one product.

Pairs of one body are alike, so bodies are drawn, not pairs: see `x2x_core.evaluation.metrics.bootstrap.draw_counts`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from x2x_core.evaluation.metrics.bootstrap import ends_of
from x2x_core.evaluation.results import Metric

UNDEFINED = "no pair has a value"


def as_values(scores: Sequence[float | None]) -> torch.Tensor:
    """One number a pair `(n,)` float64, nan for ``None``."""
    return torch.tensor([torch.nan if one is None else float(one) for one in scores], dtype=torch.float64)


def weighted_means(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Means over pairs, nan left out.

    Args:
        values: `(K, n)` float64.
        weights: `(R, n)`, at least 0.

    Returns:
        `(R, K)`; nan where no pair with a value has weight.
    """
    known = ~values.isnan()
    return (weights @ values.nan_to_num().T) / (weights @ known.double().T)


def weighted_median(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The median over pairs: with weights of 1 that of `torch.Tensor.quantile`, the middle of the two middle ones.

    Args:
        values: `(n,)` float64, nan left out.
        weights: `(R, n)`, at least 0.

    Returns:
        `(R,)`; nan where no pair with a value has weight.
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
    """A mean or median over pairs with its 95 % interval, for each of several measures.

    Args:
        values: `(K, n)` float64, nan where a pair has no value.
        counts: how often each pair is in each resample `(R, n)`.
        statistics: "mean" or "median", one for each measure.
    """
    ones = torch.ones(1, values.shape[1], dtype=torch.float64)
    whole, drawn = weighted_means(values, ones), weighted_means(values, counts)
    for number in (number for number, name in enumerate(statistics) if name == "median"):
        whole[:, number] = weighted_median(values[number], ones)
        drawn[:, number] = weighted_median(values[number], counts)
    return [
        metric(float(whole[0, number]), drawn[:, number], int((~values[number].isnan()).sum()))
        for number in range(len(values))
    ]


def metric(value: float, drawn: torch.Tensor, count: int, note: str = "") -> Metric:
    """A value with the interval that its resamples `(R,)` span; resamples in which it is undefined are left out."""
    if value != value:
        return Metric(None, n=count, note=note or UNDEFINED)
    low, high = ends_of(drawn)
    return Metric(value, low, high, count, note) if low == low else Metric(value, n=count, note=note)


def paired_difference(first: torch.Tensor, second: torch.Tensor, counts: torch.Tensor) -> Metric:
    """The mean of `first - second` over the pairs that have both, with its interval.

    Args:
        first, second: `(n,)` float64, nan where a pair has no value.
        counts: `(R, n)`.
    """
    return estimates((first - second)[None], counts, ("mean",))[0]
