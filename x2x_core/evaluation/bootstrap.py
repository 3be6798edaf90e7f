"""Percentile bootstrap over pairs (Efron, 1979): the same resamples serve all rows and columns, so rows are paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

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
        ValueError: there are no pairs.
    """
    if pairs < 1:
        raise ValueError(f"`pairs` must be at least 1, got {pairs}.")
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
        ValueError: another statistic, or numbers of values and pairs that differ.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"`statistic` must be one of {', '.join(STATISTICS)}, got {statistic!r}.")
    rows = [_as_tensor(row, resamples) for row in ([values] if minus is None else [values, minus])]
    missing = torch.stack(rows).isnan().any(dim=0)
    rows = [row.masked_fill(missing, torch.nan) for row in rows]
    count = int((~missing).sum())
    if not count:
        return Estimate(None, None, None, 0)
    whole, drawn = ([_statistic(row, statistic) for row in some] for some in (rows, [row[resamples] for row in rows]))
    value, spread = (one[0] - one[1] if len(one) > 1 else one[0] for one in (whole, drawn))
    ends = torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=torch.float64)
    low, high = spread.nanquantile(ends).tolist()
    return Estimate(float(value), low, high, count)


def _as_tensor(values: Sequence[float | None], resamples: torch.Tensor) -> torch.Tensor:
    if len(values) != resamples.shape[1]:
        raise ValueError(f"`values` must be one for each of {resamples.shape[1]} pairs, got {len(values)}.")
    return torch.tensor([torch.nan if value is None else value for value in values], dtype=torch.float64)


def _statistic(values: torch.Tensor, name: str) -> torch.Tensor:
    return values.nanmean(dim=-1) if name == "mean" else values.nanquantile(0.5, dim=-1)
