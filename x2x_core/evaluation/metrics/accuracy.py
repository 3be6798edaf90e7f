"""Accuracy of a classifier."""

from __future__ import annotations

import torch

from .estimates import weighted_mean


def accuracy(scores: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the share of images whose highest score is that of the true class.

    Args:
        scores: `(n, C)`; of equal highest scores the first counts.
        truth: `(n,)` int64, the true class.
        weights: `(R, n)`.

    Returns:
        `(R,)` float64.
    """
    return weighted_mean((scores.argmax(1) == truth).double(), weights)
