"""Percentile bootstrap over pairs (Efron, *Bootstrap Methods: Another Look at the Jackknife*, 1979).

A resample is a weight for each pair: how often the pair was drawn. Pairs of one patient (or simulated body) are alike,
so patients are drawn, not pairs (cluster bootstrap; Davison and Hinkley, *Bootstrap Methods and their Application*,
1997). All rows and columns of a table share the same resamples, so differences between rows are paired.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable

import torch

from x2x_core.common.errors import InputError

RESAMPLES = 2000
LEVEL = 0.95
ONE_PATIENT = "no interval: all pairs are of one patient"
WEIGHTS_PER_CHUNK = 4_000_000  # resamples times pairs, to bound memory
WeightedStatistic = Callable[[torch.Tensor], torch.Tensor]  # weights (R, pairs) to values (R,), nan where undefined


def draw_resamples(pairs: int, generator: torch.Generator, resamples: int = RESAMPLES) -> torch.Tensor:
    """Draw pair indices with replacement.

    Args:
        pairs: number of pairs.
        generator: source of randomness.
        resamples: number of resamples.

    Returns:
        `(resamples, pairs)` int64.

    Raises:
        InputError: `pairs` is below 1.
    """
    if pairs < 1:
        raise InputError(f"`pairs` must be at least 1, got {pairs}.")
    return torch.randint(pairs, (resamples, pairs), generator=generator)


def draw_counts(groups: Iterable[Hashable], generator: torch.Generator, resamples: int = RESAMPLES) -> torch.Tensor:
    """Count how often each pair is drawn in each resample.

    Args:
        groups: patient or body of each pair; groups are drawn whole, with replacement.
        generator: source of randomness; the same state gives the same counts.
        resamples: number of resamples.

    Returns:
        `(resamples, pairs)` float64.

    Raises:
        InputError: there are no pairs.
    """
    groups = list(groups)
    group_index = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    drawn = draw_resamples(len(group_index), generator, resamples)
    counts = torch.zeros(drawn.shape, dtype=torch.float64).scatter_add_(1, drawn, torch.ones_like(drawn).double())
    return counts[:, [group_index[group] for group in groups]]


def interval(
    statistic: WeightedStatistic, counts: torch.Tensor, distance: bool = False
) -> tuple[float | None, float | None, float | None]:
    """Return a statistic over all pairs with its 95 % interval.

    Resamples for which the statistic is undefined are left out. All three are ``None`` if it is undefined for all
    pairs; the bounds are ``None`` if all pairs belong to one patient, since nothing then says how patients differ.

    Args:
        statistic: function of the pairs' weights.
        counts: output of `draw_counts`, `(R, pairs)`.
        distance: set for a distance, which is at least 0. Resampling biases distances upwards, so the interval is the
            spread of the resampled distances about their own mean, centred on the value and cut at 0.

    Returns:
        Value, lower and upper bound.
    """
    value = float(statistic(torch.ones(1, counts.shape[1], dtype=torch.float64)))
    if math.isnan(value):
        return None, None, None
    if is_one_group(counts):
        return value, None, None
    chunk = max(1, WEIGHTS_PER_CHUNK // counts.shape[1])
    drawn = torch.cat([statistic(weights) for weights in counts.split(chunk)])
    if drawn.isnan().all():
        return value, None, None
    if distance:
        drawn = (value + drawn - drawn.nanmean()).clamp_min(0)
    low, high = percentile_bounds(drawn)
    return value, low, high


def is_one_group(counts: torch.Tensor) -> bool:
    """Return True if all pairs of `(R, n)` counts are drawn together: then nothing says how groups differ."""
    return bool((counts == counts[:, :1]).all())


def percentile_bounds(drawn: torch.Tensor) -> tuple[float, float]:
    """Return the percentile interval of resampled values `(R,)`, leaving out nan."""
    ends = torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=torch.float64)
    low, high = drawn.nanquantile(ends).tolist()
    return low, high
