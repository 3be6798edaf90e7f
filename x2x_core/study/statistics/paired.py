"""Two methods on the same cases: McNemar's exact test, and the sign test of preferences.

McNemar, *Psychometrika* 1947, as the binomial test of the pairs that differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.mcnemar import mcnemar


@dataclass(frozen=True)
class PairedTest:
    """Cases that only the first, or only the second method got right, and the exact two-sided p-value."""

    first: int
    second: int
    p: float


def compare_pairs(first: Sequence[bool], second: Sequence[bool]) -> PairedTest:
    """Compare two methods by McNemar's exact test.

    Args:
        first: whether the first method was right, by case.
        second: likewise of the second one.

    Raises:
        InputError: different numbers of cases.
    """
    if len(first) != len(second):
        raise InputError(f"`first` and `second` must be of the same cases, got {len(first)} and {len(second)}.")
    one, two = np.array(first, bool), np.array(second, bool)
    of_first, of_second = int((one & ~two).sum()), int((~one & two).sum())
    return PairedTest(of_first, of_second, mcnemar(of_first, of_second))


def compare_preferences(first: int, second: int) -> PairedTest:
    """Compare how often one of two was preferred (sign test); answers without a preference do not count."""
    p = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    return PairedTest(first, second, p)
