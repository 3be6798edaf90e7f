"""Power of a planned study.

Comparison of two methods: Hillis, Obuchowski and Berbaum, *Power Estimation for Multireader ROC Methods: An Updated and
Unified Approach*, Acad. Radiol. 2011: the components of a pilot study, its error terms scaled by the number of cases.
Equivalence to chance: Phillips, *Power of the two one-sided tests procedure in bioequivalence*, J. Pharmacokinet.
Biopharm. 1990.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import integrate, stats

from x2x_core.common.errors import InputError

from .equivalence import ALPHA, MARGIN
from .figures import Figures
from .obuchowski_rockette import Components, covariances


@dataclass(frozen=True)
class Power:
    """Power of a comparison, and the F distribution that gives it."""

    power: float
    noncentrality: float
    freedom: float


def power_of_comparison(components: Components, pilot_cases: int, readers: int, cases: int, difference: float) -> Power:
    """Return the power to find a difference between the mean figures of two methods; readers and cases are random.

    Args:
        components: of a pilot study.
        pilot_cases: number of its cases.
        readers: of the planned study, at least 2.
        cases: of the planned study, with the pilot's share of positive ones.
        difference: between the two means.

    Raises:
        InputError: a number out of range.
    """
    _check_size(readers, cases, pilot_cases)
    scale = pilot_cases / cases
    error, cov1 = components.error * scale, components.cov1 * scale
    excess = max(components.cov2 - components.cov3, 0.0) * scale
    interaction = max(components.interaction, 0.0)
    rest = interaction + error - cov1 - excess
    total = rest + readers * excess
    freedom = total**2 / (rest**2 / (readers - 1)) if rest > 0 else np.inf
    noncentrality = readers * difference**2 / (2 * total)
    critical = stats.f.ppf(1 - ALPHA, 1, freedom)
    # SciPy's distribution is wrong at a noncentrality of 0.
    power = stats.ncf.sf(critical, 1, freedom, noncentrality) if noncentrality > 0 else ALPHA
    return Power(float(power), float(noncentrality), float(freedom))


def power_of_chance(figures: Figures, pilot_cases: int, readers: int, cases: int, margin: float = MARGIN) -> float:
    """Return the power to show that the mean of a method is within a margin of chance, if it is at chance.

    Args:
        figures: of one method in a pilot study of at least 2 readers.
        pilot_cases: number of its cases.
        readers: of the planned study, at least 2.
        cases: of the planned study, with the pilot's share of positive ones.
        margin: above 0.

    Raises:
        InputError: a number out of range.
    """
    _check_size(readers, cases, pilot_cases)
    if figures.values.shape[0] != 1 or figures.values.shape[1] < 2:
        raise InputError(f"`figures` must be of 1 method and at least 2 readers, got {figures.values.shape}.")
    error, _, cov2, _ = covariances(figures)
    cov2, scale = max(cov2, 0.0), pilot_cases / cases
    between = max(float(figures.values.var(ddof=1)) - error + cov2, 0.0)
    single = between + (error - cov2) * scale
    total = single + readers * cov2 * scale
    freedom = total**2 / (single**2 / (readers - 1)) if single > 0 else math.inf
    return power_of_equivalence(math.sqrt(total / readers), freedom, margin)


def _check_size(readers: int, cases: int, pilot_cases: int) -> None:
    if readers < 2:
        raise InputError(f"`readers` must be at least 2, got {readers}.")
    if cases < 4 or pilot_cases < 4:
        raise InputError(f"`cases` must be at least 4 in the pilot and the study, got {pilot_cases} and {cases}.")


def power_of_equivalence(error: float, freedom: float, margin: float = MARGIN, shift: float = 0.0) -> float:
    """Return the power to show that a mean is within a margin of chance.

    Args:
        error: standard error that the study will have.
        freedom: degrees of freedom of that error; infinity is allowed.
        margin: above 0.
        shift: true distance from chance.

    Raises:
        InputError: an error or margin that is not above 0, or degrees of freedom below 1.
    """
    if error <= 0 or margin <= 0 or freedom < 1:
        raise InputError(
            f"`error` and `margin` must be above 0 and `freedom` at least 1, got {error}, {margin}, {freedom}."
        )
    critical = float(stats.t.ppf(1 - ALPHA, freedom))

    def given(ratio: float) -> float:
        """Return the power if the estimated error is `ratio` times the true one."""
        room = margin / error - critical * ratio
        return max(float(stats.norm.cdf(room - shift / error) - stats.norm.cdf(-room - shift / error)), 0.0)

    if math.isinf(freedom):
        return given(1.0)
    spread = stats.chi(freedom, scale=1 / math.sqrt(freedom))
    top = min(float(spread.ppf(1 - 1e-10)), margin / (error * critical))
    if top <= 0:
        return 0.0
    return float(integrate.quad(lambda ratio: given(ratio) * spread.pdf(ratio), 0, top, limit=200)[0])
