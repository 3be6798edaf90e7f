"""Agreement of readers beyond chance.

Kappa of two readers: Cohen, *Educ. Psychol. Meas.* 1960, weighted for ordered answers: *Psychol. Bull.* 1968. Kappa of
several: Fleiss, *Psychol. Bull.* 1971. Values are statsmodels'; intervals are percentiles of a bootstrap over cases.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra
from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES, draw_resamples
from x2x_core.evaluation.results import Metric

with needs_extra("The statistics of a study", "statsmodels", "study"):
    from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa


def kappa(answers: Sequence[Sequence[str]], generator: torch.Generator, order: Sequence[str] = ()) -> Metric:
    """Return Cohen's kappa of two readers or Fleiss' of more, with its interval of 95 %.

    Args:
        answers: of each reader to the same cases.
        generator: draws the resamples.
        order: answers from lowest to highest; two readers are then compared with quadratic weights.

    Returns:
        Undefined if all answers are equal: nothing is left to chance.

    Raises:
        InputError: fewer than two readers, or different numbers of cases.
    """
    if len(answers) < 2 or len({len(of_reader) for of_reader in answers}) != 1:
        raise InputError("`answers` must be of at least two readers to the same cases.")
    words = list(order) or sorted({answer for of_reader in answers for answer in of_reader})
    codes = np.array([[words.index(answer) for answer in of_reader] for of_reader in answers])
    cases = codes.shape[1]
    value = _kappa(codes, len(words), bool(order))
    if value is None:
        return Metric(None, n=cases, note="all answers are equal")
    drawn = draw_resamples(cases, generator, RESAMPLES).numpy()
    resampled = [
        one for one in (_kappa(codes[:, index], len(words), bool(order)) for index in drawn) if one is not None
    ]
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Metric(value, float(low), float(high), cases)


def _kappa(codes: np.ndarray, words: int, ordered: bool) -> float | None:
    """Return kappa; ``None`` if chance alone explains all agreement."""
    if len(np.unique(codes)) < 2:
        return None
    if len(codes) > 2:
        return float(fleiss_kappa(aggregate_raters(codes.T, n_cat=words)[0], method="fleiss"))
    table = np.zeros((words, words))
    np.add.at(table, (codes[0], codes[1]), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = cohens_kappa(table, wt="quadratic" if ordered else None, return_results=False)
    return float(value) if np.isfinite(value) else None
