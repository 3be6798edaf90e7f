"""McNemar's exact test of two answers to the same cases (*Psychometrika*, 1947)."""

from __future__ import annotations

from math import comb

from x2x_core.common.errors import InputError


def mcnemar(first: int, second: int) -> float:
    """Return the two-sided p-value of the cases that differ, by the binomial distribution.

    Args:
        first: cases in which only the first is positive.
        second: cases in which only the second is positive.

    Raises:
        InputError: a negative count.
    """
    if min(first, second) < 0:
        raise InputError(f"`first` and `second` must be counts of cases, got {first} and {second}.")
    count = first + second
    tail = sum(comb(count, hits) for hits in range(min(first, second) + 1))
    return min(1.0, 2 * tail / 2**count)
