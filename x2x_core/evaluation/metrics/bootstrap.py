"""Percentile bootstrap over pairs (Efron, 1979): the same resamples serve all rows and columns, so rows are paired.

`estimate` is for means and medians of one number a pair. Statistics of many pairs at once (AUROC, correlations) are
functions of the pairs' weights, `(R, pairs)` to `(R,)`, and go through `draw_counts` and `interval`; pairs of one patient
are drawn together there (the cluster bootstrap, Davison and Hinkley, 1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch

from x2x_core.common.errors import InputError

RESAMPLES = 2000
LEVEL = 0.95
STATISTICS = ("mean", "median")


@dataclass(frozen=True)
class Estimate:
    """A statistic over pairs with its interval; all ``None`` where no pair has a value."""

    value: float | None
    low: float | None
    high: float | None
    count: int  # pairs that have a value


def draw_resamples(pairs: int, generator: torch.Generator, resamples: int = RESAMPLES) -> torch.Tensor:
    """Numbers of pairs, drawn with replacement: `(resamples, pairs)`.

    Raises:
        InputError: there are no pairs.
    """
    if pairs < 1:
        raise InputError(f"`pairs` must be at least 1, got {pairs}.")
    return torch.randint(pairs, (resamples, pairs), generator=generator)


def estimate(
    values: Sequence[float | None],
    resamples: torch.Tensor,
    statistic: str = "mean",
    minus: Sequence[float | None] | None = None,
) -> Estimate:
    """A mean or median with its 95 % interval, or the paired difference of two.

    Args:
        values: one for each pair; ``None`` is left out.
        resamples: as `draw_resamples` gives them, `(R, pairs)`.
        statistic: "mean" or "median".
        minus: values of another row on the same pairs: the difference of the statistics is estimated, over the pairs
            that have both.

    Raises:
        InputError: another statistic, or numbers of values and pairs that differ.
    """
    if statistic not in STATISTICS:
        raise InputError(f"`statistic` must be one of {', '.join(STATISTICS)}, got {statistic!r}.")
    rows = [_as_tensor(row, resamples) for row in ([values] if minus is None else [values, minus])]
    missing = torch.stack(rows).isnan().any(dim=0)
    rows = [row.masked_fill(missing, torch.nan) for row in rows]
    count = int((~missing).sum())
    if not count:
        return Estimate(None, None, None, 0)
    whole, drawn = ([_statistic(row, statistic) for row in some] for some in (rows, [row[resamples] for row in rows]))
    value, spread = (one[0] - one[1] if len(one) > 1 else one[0] for one in (whole, drawn))
    low, high = ends_of(spread)
    return Estimate(float(value), low, high, count)


def ends_of(drawn: torch.Tensor) -> tuple[float, float]:
    """The percentile interval of resamples `(R,)`; those that are nan are left out."""
    ends = torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=torch.float64)
    low, high = drawn.nanquantile(ends).tolist()
    return low, high


def _as_tensor(values: Sequence[float | None], resamples: torch.Tensor) -> torch.Tensor:
    if len(values) != resamples.shape[1]:
        raise InputError(f"`values` must be one for each of {resamples.shape[1]} pairs, got {len(values)}.")
    return torch.tensor([torch.nan if value is None else value for value in values], dtype=torch.float64)


def _statistic(values: torch.Tensor, name: str) -> torch.Tensor:
    return values.nanmean(dim=-1) if name == "mean" else values.nanquantile(0.5, dim=-1)


WEIGHTS_AT_ONCE = 4_000_000  # of resamples times pairs, to bound the memory
WeightedStatistic = Callable[[torch.Tensor], torch.Tensor]  # weights (R, pairs) to (R,), nan where undefined


def draw_counts(groups: Sequence[Hashable], generator: torch.Generator, resamples: int = RESAMPLES) -> torch.Tensor:
    """How often each pair is in each resample, `(resamples, pairs)` float64.

    Args:
        groups: what each pair belongs to (a patient, a body); groups are drawn whole, with replacement.
        generator: the same state gives the same counts.
        resamples: how many.

    Raises:
        InputError: there are no pairs.
    """
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    drawn = draw_resamples(len(numbers), generator, resamples)
    counts = torch.zeros(drawn.shape, dtype=torch.float64).scatter_add_(1, drawn, torch.ones_like(drawn).double())
    return counts[:, [numbers[group] for group in groups]]


def interval(
    statistic: WeightedStatistic, counts: torch.Tensor, distance: bool = False
) -> tuple[float | None, float | None, float | None]:
    """A statistic of all pairs with its 95 % interval: value, low, high.

    Resamples in which it is undefined are left out. All ``None`` where it is undefined for all pairs; no interval where
    all pairs are of one patient, since nothing then says how patients differ.

    Args:
        statistic: of the pairs' weights.
        counts: as `draw_counts` gives them, `(R, pairs)`.
        distance: whether it is one, at least 0. Resampling moves those up: the interval is then the spread of the resampled
            ones about their own mean, laid about the figure.
    """
    value = float(statistic(torch.ones(1, counts.shape[1], dtype=torch.float64)))
    if math.isnan(value):
        return None, None, None
    if (counts == counts[:1]).all():
        return value, None, None
    drawn = torch.cat([statistic(some) for some in counts.split(max(1, WEIGHTS_AT_ONCE // counts.shape[1]))])
    if drawn.isnan().all():
        return value, None, None
    if distance:
        drawn = (value + drawn - drawn.nanmean()).clamp_min(0)
    low, high = ends_of(drawn)
    return value, low, high
