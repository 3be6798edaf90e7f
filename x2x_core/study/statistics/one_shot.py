"""Gallas' one-shot estimate: the variance of the readers' mean AUC, readers and cases random, without resampling.

Method: Gallas, *One-Shot Estimate of MRMC Variance: AUC*, Acad. Radiol. 2006; its moments and degrees of freedom as in
Gallas, Bandos, Samuelson and Wagner, *A Framework for Random-Effects ROC Analysis: Biases with the Bootstrap and Other
Variance Estimators*, Commun. Stat. Theory Methods 2009, and the software iMRMC (Satterthwaite over the main effects, at
least the smallest of their own).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from x2x_core.common.errors import InputError

from .figures import independent_products, kernel
from .obuchowski_rockette import Estimate, cut, interval
from .ratings import Ratings


def one_shot_mean(ratings: Ratings, method: int = 0) -> Estimate | None:
    """Return the mean AUC of a method over readers; ``None`` if the estimate of its variance is not above 0.

    Raises:
        InputError: fewer than two readers.
    """
    return _estimate(kernel(ratings.scores[method], ratings.truth), tested=False)


def one_shot_difference(ratings: Ratings, first: int = 0, second: int = 1) -> Estimate | None:
    """Return the difference of the mean AUCs of two methods, tested against 0; ``None`` as for a mean.

    Raises:
        InputError: fewer than two readers.
    """
    pairs = kernel(ratings.scores[[first, second]], ratings.truth)
    return _estimate(pairs[0] - pairs[1], tested=True)


def variance(pairs: np.ndarray) -> float:
    """Return the unbiased estimate of the variance of the mean of all pairs; it can be below 0.

    The square of the mean estimates its expected square. The mean product of pairs that share no reader and no case
    estimates the square of the expected mean, and is subtracted.

    Args:
        pairs: `(readers, positives, negatives)`.
    """
    readers, positives, negatives = pairs.shape
    products = independent_products(pairs, pairs)
    different = products.sum() - np.trace(products)
    count = readers * (readers - 1) * positives * (positives - 1) * negatives * (negatives - 1)
    return float(pairs.mean() ** 2 - different / count)


def _estimate(pairs: np.ndarray, tested: bool) -> Estimate | None:
    if len(pairs) < 2:
        raise InputError(f"The one-shot estimate needs at least 2 readers, got {len(pairs)}.")
    value, spread = float(pairs.mean()), variance(pairs)
    if spread <= 0:
        return None
    error, freedom = float(np.sqrt(spread)), _freedom(pairs, spread)
    one = interval(value, error, freedom)
    if not tested:
        return cut(one)
    statistic = value / error
    p = float(2 * stats.t.sf(abs(statistic), freedom))
    return Estimate(one.value, error, freedom, one.low, one.high, statistic, p)


def _freedom(pairs: np.ndarray, spread: float) -> float:
    """Return Satterthwaite's degrees of freedom over readers, positive and negative cases."""
    effects = ((pairs.mean(others), pairs.shape[axis] - 1) for axis, others in enumerate(((1, 2), (0, 2), (0, 1))))
    parts = [(float(np.var(means)) / freedom, freedom) for means, freedom in effects]
    total = sum(part**2 / freedom for part, freedom in parts)
    return max(spread**2 / total if total else np.inf, float(min(freedom for _, freedom in parts)))
