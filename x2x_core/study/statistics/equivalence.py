"""Equivalence to chance within a margin: two one-sided tests.

Schuirmann, *J. Pharmacokinet. Biopharm.* 1987. The claim "readers cannot tell" needs this test: a test that finds no
difference has not shown that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from x2x_core.common.errors import InputError

from .obuchowski_rockette import Estimate, interval

CHANCE = 0.5
MARGIN = 0.1
ALPHA = 0.05


@dataclass(frozen=True)
class Equivalence:
    """Result of two one-sided tests.

    Args:
        margin: half the width of the range that counts as equivalent.
        low: of the interval that must lie inside the range (90 % for a test at 5 %).
        high: likewise.
        p: the larger of the two p-values.
        equivalent: whether the claim holds at `ALPHA`.
    """

    margin: float
    low: float
    high: float
    p: float
    equivalent: bool


def equivalent_to_chance(estimate: Estimate, margin: float = MARGIN, chance: float = CHANCE) -> Equivalence:
    """Test whether a mean lies within a margin of chance.

    A standard error of 0 shows nothing: a few readers with equal figures have it by luck, and so have readers who
    answer everything alike.

    Args:
        estimate: with its standard error and degrees of freedom.
        margin: above 0, chosen before the study.
        chance: what guessing gives.

    Raises:
        InputError: a margin that is not above 0.
    """
    _check(margin)
    inner = interval(estimate.value, estimate.error, estimate.freedom, 1 - 2 * ALPHA)
    if estimate.error == 0:
        p = 1.0
    else:
        above = stats.t.sf((estimate.value - (chance - margin)) / estimate.error, estimate.freedom)
        below = stats.t.cdf((estimate.value - (chance + margin)) / estimate.error, estimate.freedom)
        p = float(max(above, below))
    return Equivalence(margin, inner.low, inner.high, p, p < ALPHA)


def equivalent_share(hits: int, count: int, margin: float = MARGIN, chance: float = CHANCE) -> Equivalence:
    """Test whether a share of independent answers of one reader lies within a margin of chance, exactly (binomial).

    Raises:
        InputError: no answers, or a margin that is not above 0.
    """
    _check(margin)
    if count < 1:
        raise InputError("`count` must be at least 1.")
    bounds = min(chance + margin, 1.0), max(chance - margin, 0.0)
    below = stats.binomtest(hits, count, bounds[0], alternative="less").pvalue
    above = stats.binomtest(hits, count, bounds[1], alternative="greater").pvalue
    inner = stats.binomtest(hits, count).proportion_ci(1 - 2 * ALPHA)
    p = float(max(below, above))
    return Equivalence(margin, float(inner.low), float(inner.high), p, p < ALPHA)


def _check(margin: float) -> None:
    if not 0 < margin < CHANCE:
        raise InputError(f"`margin` must lie between 0 and {CHANCE}, got {margin}.")
