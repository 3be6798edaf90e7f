"""Comparison of methods read by several readers, readers and cases random (MRMC).

Model: analysis of variance of the readers' figures with correlated errors, Obuchowski and Rockette, *Hypothesis testing
of diagnostic accuracy for multiple readers and multiple tests: an ANOVA approach with dependent observations*, Commun.
Stat. Simul. Comput. 1995. Degrees of freedom and intervals: Hillis, *A comparison of denominator degrees of freedom
methods for multiple observer ROC analysis*, Stat. Med. 2007, and *A marginal-mean ANOVA approach for analyzing
multireader multicase radiological imaging data*, Stat. Med. 2014.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from x2x_core.common.errors import InputError

from .figures import Figures

LEVEL = 0.95


@dataclass(frozen=True)
class Components:
    """Components of the model.

    Args:
        reader: variance between readers; it can be estimated below 0.
        interaction: variance of methods by readers; likewise.
        error: variance of a figure over cases.
        cov1: covariance of different methods and the same reader.
        cov2: covariance of the same method and different readers.
        cov3: covariance of different methods and readers.
    """

    reader: float
    interaction: float
    error: float
    cov1: float
    cov2: float
    cov3: float


@dataclass(frozen=True)
class Estimate:
    """A mean or a difference of means with its t test and interval of 95 %.

    Args:
        value: the estimate.
        error: standard error.
        freedom: degrees of freedom; infinite if readers do not vary.
        low: of the interval.
        high: of the interval.
        statistic: against 0, or ``None`` for a mean.
        p: two-sided, or ``None`` for a mean.
    """

    value: float
    error: float
    freedom: float
    low: float
    high: float
    statistic: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison.

    Args:
        components: of the model.
        f: F statistic of equal methods; ``None`` if they differ and nothing else varies, which tests nothing.
        freedom: its two degrees of freedom.
        p: its p-value, or ``None``.
        differences: of the means of two methods, by their names.
        means: over readers, by method, each from its own ratings.
    """

    components: Components
    f: float | None
    freedom: tuple[float, float]
    p: float | None
    differences: dict[tuple[str, str], Estimate]
    means: dict[str, Estimate]


def compare(figures: Figures) -> Comparison:
    """Compare methods; readers and cases are random.

    Raises:
        InputError: fewer than two methods or readers.
    """
    methods, readers = figures.values.shape
    if methods < 2 or readers < 2:
        raise InputError(f"A comparison needs at least 2 methods and 2 readers, got {methods} and {readers}.")
    squares, (error, cov1, cov2, cov3) = _mean_squares(figures.values), covariances(figures)
    excess = max(cov2 - cov3, 0.0)
    denominator = squares["interaction"] + readers * excess
    freedom = (methods - 1, _freedom(denominator, squares["interaction"], (methods - 1) * (readers - 1)))
    f = _ratio(squares["method"], denominator)
    means = figures.values.mean(1)
    spread = float(np.sqrt(2 * denominator / readers))
    differences = {
        (figures.methods[one], figures.methods[two]): _tested(means[one] - means[two], spread, freedom[1])
        for one, two in combinations(range(methods), 2)
    }
    components = Components(
        (squares["reader"] - squares["interaction"]) / methods - cov1 + cov3,
        squares["interaction"] - error + cov1 + excess,
        error,
        cov1,
        cov2,
        cov3,
    )
    by_method = {name: mean_of(figures.of(index)) for index, name in enumerate(figures.methods)}
    p = None if f is None else float(stats.f.sf(f, *freedom))
    return Comparison(components, f, freedom, p, differences, by_method)


def compare_fixed_readers(figures: Figures) -> tuple[float, int, float]:
    """Return chi-square, its degrees of freedom and p-value of equal methods for these very readers; cases are random.

    Raises:
        InputError: fewer than two methods.
    """
    methods, readers = figures.values.shape
    if methods < 2:
        raise InputError(f"A comparison needs at least 2 methods, got {methods}.")
    error, cov1, cov2, cov3 = covariances(figures)
    means = figures.values.mean(1)
    between = readers * np.sum((means - means.mean()) ** 2)
    statistic = float(between / (error - cov1 + (readers - 1) * max(cov2 - cov3, 0.0)))
    return statistic, methods - 1, float(stats.chi2.sf(statistic, methods - 1))


def mean_of(figures: Figures) -> Estimate:
    """Return the mean of one method over readers; readers and cases are random.

    With one reader the interval is for that reader: cases alone are random, and the degrees of freedom infinite. The
    interval is cut at 0 and 1.

    Raises:
        InputError: several methods.
    """
    methods, readers = figures.values.shape
    if methods != 1:
        raise InputError(f"`figures` must be of one method, got {methods}.")
    value = float(figures.values.mean())
    if readers == 1:
        return cut(interval(value, float(np.sqrt(figures.covariance[0, 0, 0, 0])), np.inf))
    squares = float(figures.values.var(ddof=1))
    _, _, cov2, _ = covariances(figures)
    total = squares + readers * max(cov2, 0.0)
    return cut(interval(value, float(np.sqrt(total / readers)), _freedom(total, squares, readers - 1)))


def interval(value: float, error: float, freedom: float, level: float = LEVEL) -> Estimate:
    """Return an estimate with its t interval."""
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    return Estimate(value, error, freedom, value - half, value + half)


def cut(estimate: Estimate) -> Estimate:
    """Return an estimate of a share or an AUC, its interval cut at 0 and 1."""
    return replace(estimate, low=max(estimate.low, 0.0), high=min(estimate.high, 1.0))


def covariances(figures: Figures) -> tuple[float, float, float, float]:
    """Return the mean variance and the mean covariances Cov1, Cov2 and Cov3; 0 where there are none."""
    methods, readers = figures.values.shape
    same_method = np.eye(methods, dtype=bool)[:, None, :, None]
    same_reader = np.eye(readers, dtype=bool)[None, :, None, :]
    kinds = (
        same_method & same_reader,
        ~same_method & same_reader,
        same_method & ~same_reader,
        ~same_method & ~same_reader,
    )
    error, cov1, cov2, cov3 = (
        float(figures.covariance[kind].mean()) if kind.any() else 0.0
        for kind in (np.broadcast_to(kind, figures.covariance.shape) for kind in kinds)
    )
    return error, cov1, cov2, cov3


def _mean_squares(values: np.ndarray) -> dict[str, float]:
    methods, readers = values.shape
    by_method, by_reader, whole = values.mean(1, keepdims=True), values.mean(0, keepdims=True), values.mean()
    rest = values - by_method - by_reader + whole
    return {
        "method": float(readers * np.sum((by_method - whole) ** 2) / (methods - 1)),
        "reader": float(methods * np.sum((by_reader - whole) ** 2) / (readers - 1)),
        "interaction": float(np.sum(rest**2) / ((methods - 1) * (readers - 1))),
    }


def _ratio(above: float, below: float) -> float | None:
    """Return F; 0 for equal methods, ``None`` for others if nothing else varies."""
    return above / below if below > 0 else None if above > 0 else 0.0


def _freedom(total: float, squares: float, freedom: int) -> float:
    """Return Hillis' degrees of freedom; infinite if the readers do not vary."""
    return total**2 / (squares**2 / freedom) if squares > 0 else np.inf


def _tested(value: float, error: float, freedom: float) -> Estimate:
    one = interval(float(value), error, freedom)
    if error == 0:
        return one
    statistic = float(value) / error
    return Estimate(
        one.value, error, freedom, one.low, one.high, statistic, float(2 * stats.t.sf(abs(statistic), freedom))
    )
