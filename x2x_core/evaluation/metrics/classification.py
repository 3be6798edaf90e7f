"""How well scores tell classes apart: AUROC of each class and over classes, accuracy.

All take weights of the images, `(R, n)`, and give `(R,)` float64: ones for the figure itself, resampled counts for its
interval (see `x2x_core.evaluation.metrics.bootstrap`). nan says that a figure is undefined.
"""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError


def auroc(scores: torch.Tensor, positive: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Area under the ROC curve, as the chance that a positive outscores a negative; ties count half.

    That is the Mann-Whitney statistic (Hanley and McNeil, Radiology 1982). Where one of the classes is absent it is
    undefined: nan, never 0 or 0.5.

    Args:
        scores: `(n,)`, higher means more positive.
        positive: `(n,)` bool, the truth.
        weights: `(R, n)`, not negative.
    """
    _check(scores, positive, weights)
    values, place = scores.double().unique(return_inverse=True)
    weights = weights.double()
    wins = [
        weights.new_zeros(len(weights), len(values)).index_add_(1, place, weights * one)
        for one in (positive, ~positive)
    ]
    yes, no = wins
    below = no.cumsum(1) - no
    area = (yes * (below + no / 2)).sum(1)
    return area / (yes.sum(1) * no.sum(1))  # 0 / 0 is nan


def macro_auroc(
    scores: torch.Tensor, positive: torch.Tensor, known: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """The mean of the classes' AUROC; a class that is undefined is left out of it. nan where all are.

    Args:
        scores, positive: `(n, C)`.
        known: `(n, C)` bool, whether the truth of an image and class is known; others are left out.
        weights: `(R, n)`.
    """
    return mean_of_defined([
        auroc(scores[known[:, c], c], positive[known[:, c], c], weights[:, known[:, c]]) for c in range(scores.shape[1])
    ])  # fmt: skip


def mean_of_defined(columns: list[torch.Tensor]) -> torch.Tensor:
    """The mean of several `(R,)`, nan left out; nan where all are."""
    return torch.stack(columns).nanmean(0)


def accuracy(scores: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The share of images whose highest score is the true class's.

    Args:
        scores: `(n, C)`; of equal highest scores the first counts.
        truth: `(n,)` long, the true class.
        weights: `(R, n)`.
    """
    return weighted_mean((scores.argmax(1) == truth).double(), weights)


def weighted_mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The mean of `(n,)` under weights `(R, n)`, nan among the values left out: `(R,)`, nan where none counts."""
    defined = ~values.isnan()
    counted = weights.double()[:, defined]
    return (counted * values.double()[defined]).sum(1) / counted.sum(1)


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
