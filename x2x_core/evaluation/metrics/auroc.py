"""AUROC: how well scores separate the images that have a finding from those that lack it.

Functions take weights of the images, `(R, n)`, and return `(R,)` float64: ones give the value itself, resampled counts
its interval (see `x2x_core.evaluation.metrics.bootstrap`). nan: undefined.
"""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

from .estimates import mean_of_defined


def auroc(scores: torch.Tensor, positive: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the area under the ROC curve: the probability that a positive outscores a negative, ties counting half.

    Computed as the Mann-Whitney statistic (Hanley and McNeil, *Radiology*, 1982). If one of the classes is absent it is
    undefined: nan, never 0 or 0.5.

    Args:
        scores: `(n,)`, higher means more positive.
        positive: `(n,)` bool, the truth.
        weights: `(R, n)`, not negative.
    """
    _check(scores, positive, weights)
    values, value_index = scores.double().unique(return_inverse=True)
    weights = weights.double()
    yes, no = (
        weights.new_zeros(len(weights), len(values)).index_add_(1, value_index, weights * members)
        for members in (positive, ~positive)
    )
    below = no.cumsum(1) - no
    area = (yes * (below + no / 2)).sum(1)
    return area / (yes.sum(1) * no.sum(1))  # 0 / 0 is nan


def macro_auroc(
    scores: torch.Tensor, positive: torch.Tensor, known: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return the mean AUROC over classes, leaving out classes for which it is undefined; nan if all are.

    Args:
        scores: `(n, C)`.
        positive: like `scores`.
        known: `(n, C)` bool, True if the truth of an image and class is known; others are left out.
        weights: `(R, n)`.
    """
    return mean_of_defined([
        auroc(scores[known[:, c], c], positive[known[:, c], c], weights[:, known[:, c]]) for c in range(scores.shape[1])
    ])  # fmt: skip


def _check(scores: torch.Tensor, positive: torch.Tensor, weights: torch.Tensor) -> None:
    if scores.ndim != 1 or positive.shape != scores.shape or positive.dtype != torch.bool:
        raise InputError(
            f"`positive` must be bool and of the shape of `scores`, (n,), got {positive.dtype} {tuple(positive.shape)} "
            f"and {tuple(scores.shape)}."
        )
    if weights.ndim != 2 or weights.shape[1] != len(scores):
        raise InputError(f"`weights` must be (R, {len(scores)}), one for each score, got {tuple(weights.shape)}.")
    if scores.isnan().any():
        raise InputError("`scores` must be numbers, got nan.")
