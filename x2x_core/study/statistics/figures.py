"""Figures of merit of each method and reader, and their covariances over random cases.

Covariances: the jackknife (Obuchowski and Rockette, *Commun. Stat. Simul. Comput.* 1995), that of DeLong, DeLong and
Clarke-Pearson (*Biometrics* 1988), and the unbiased one of U-statistics (Gallas, *Acad. Radiol.* 2006).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from x2x_core.common.errors import InputError

from .ratings import Ratings

JACKKNIFE, DELONG, UNBIASED = "jackknife", "DeLong", "unbiased"
COVARIANCES = (JACKKNIFE, DELONG, UNBIASED)
Figure = Callable[[np.ndarray, np.ndarray], np.ndarray]  # scores (..., cases) and truth to values (...)


@dataclass(frozen=True)
class Figures:
    """Figures of merit with their covariances.

    Args:
        values: `(methods, readers)`.
        covariance: `(methods, readers, methods, readers)`, over cases.
        methods: names.
        readers: names.
    """

    values: np.ndarray
    covariance: np.ndarray
    methods: tuple[str, ...]
    readers: tuple[str, ...]

    def of(self, *methods: int) -> Figures:
        """Return the figures of some methods."""
        index = list(methods)
        covariance = self.covariance[index][:, :, index]
        return Figures(self.values[index], covariance, tuple(self.methods[one] for one in index), self.readers)


def kernel(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return 1, 1/2 or 0 for each pair of a positive and a negative case: rated higher, equally, lower.

    Args:
        scores: `(..., cases)`.
        truth: `(cases,)` bool.

    Returns:
        `(..., positives, negatives)`.
    """
    positive, negative = scores[..., truth, None], scores[..., None, ~truth]
    return (positive > negative) + 0.5 * (positive == negative)


def auc(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the area under the empirical ROC curve (Wilcoxon): `(..., cases)` to `(...)`."""
    return kernel(scores, truth).mean((-2, -1))


def accuracy(threshold: float) -> Figure:
    """Return the share of cases whose score lies on the right side of a threshold; at it means positive."""

    def share(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return ((scores >= threshold) == truth).mean(-1)

    return share


def estimate(ratings: Ratings, figure: Figure = auc, covariance: str = JACKKNIFE) -> Figures:
    """Return figures of merit with their covariances.

    Args:
        ratings: fully crossed.
        figure: figure of merit.
        covariance: one of `COVARIANCES`; those other than the jackknife are for the AUC.

    Raises:
        InputError: another covariance, or one that the figure does not have.
    """
    if covariance not in COVARIANCES:
        raise InputError(f"`covariance` must be one of {', '.join(COVARIANCES)}, got {covariance!r}.")
    if covariance != JACKKNIFE and figure is not auc:
        raise InputError(f"`covariance` must be {JACKKNIFE} for a figure other than the AUC, got {covariance!r}.")
    values = figure(ratings.scores, ratings.truth)
    if covariance == JACKKNIFE:
        matrix = _jackknife(ratings, figure)
    else:
        matrix = (_delong if covariance == DELONG else _unbiased)(kernel(ratings.scores, ratings.truth))
    shape = values.shape
    return Figures(values, matrix.reshape(*shape, *shape), ratings.methods, ratings.readers)


def shares(correct: np.ndarray, methods: tuple[str, ...], readers: tuple[str, ...]) -> Figures:
    """Return the share of right answers of each method and reader; the covariances are the jackknife's.

    Args:
        correct: `(methods, readers, cases)` bool; a case is the same for all methods and readers.
        methods: names.
        readers: names.

    Raises:
        InputError: fewer than two cases.
    """
    shape = correct.shape[:2]
    if correct.shape[2] < 2:
        raise InputError(f"`correct` must be of at least 2 cases, got {correct.shape[2]}.")
    flat = correct.reshape(-1, correct.shape[2]).astype(float)
    matrix = np.atleast_2d(np.cov(flat)) / correct.shape[2]
    return Figures(correct.mean(2), matrix.reshape(*shape, *shape), methods, readers)


def _jackknife(ratings: Ratings, figure: Figure) -> np.ndarray:
    count = len(ratings.truth)
    left_out = np.stack(
        [
            figure(ratings.scores[..., kept], ratings.truth[kept]).ravel()
            for kept in (np.arange(count) != case for case in range(count))
        ]
    )
    return (count - 1) * np.cov(left_out, rowvar=False, bias=True)


def _flat(pairs: np.ndarray) -> np.ndarray:
    return pairs.reshape(-1, *pairs.shape[-2:])


def _delong(pairs: np.ndarray) -> np.ndarray:
    flat = _flat(pairs)
    positives, negatives = flat.mean(2), flat.mean(1)
    return np.cov(positives) / positives.shape[1] + np.cov(negatives) / negatives.shape[1]


def _unbiased(pairs: np.ndarray) -> np.ndarray:
    """Return unbiased covariances: the product of two AUCs, less that of their expectations, both as U-statistics."""
    flat = _flat(pairs)
    _, positives, negatives = flat.shape
    mean = flat.mean((1, 2))
    return np.outer(mean, mean) - independent_products(flat, flat) / (
        positives * (positives - 1) * negatives * (negatives - 1)
    )


def independent_products(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return sums of products over pairs of different positive and different negative cases.

    Args:
        first: `(a, positives, negatives)`.
        second: `(b, positives, negatives)`.

    Returns:
        `(a, b)`.
    """
    whole = np.einsum("amn->a", first)[:, None] * np.einsum("bmn->b", second)
    same_positive = np.einsum("am,bm->ab", first.sum(2), second.sum(2))
    same_negative = np.einsum("an,bn->ab", first.sum(1), second.sum(1))
    same_both = np.einsum("amn,bmn->ab", first, second)
    return whole - same_positive - same_negative + same_both
