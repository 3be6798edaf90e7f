"""Divergence of the labels that a classifier gives edited images from those it gives real ones."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

POSITIVE = 0.5  # probability at and above which a label counts as predicted
PRIOR = 0.5  # added to the counts of both outcomes, so that neither is 0 (Krichevsky and Trofimov, 1981)


def label_divergence(edited: torch.Tensor, real: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the Kullback-Leibler divergence (1951) of predicted labels, real from edited, in nats, mean over labels.

    Each label is a coin: predicted (probability >= `POSITIVE`) or not. With `p` the share of real images and `q` the
    share of edited images for which it is predicted, both with `PRIOR` added to either outcome, the divergence of the
    label is `p log(p / q) + (1 - p) log((1 - p) / (1 - q))`: 0 if the classifier predicts it as often as it should.

    Args:
        edited: probabilities `(n, C)` for edited images and for the real images they stand for.
        real: like `edited`.
        weights: `(R, n)`.

    Returns:
        `(R,)` float64.

    Raises:
        InputError: shapes that differ.
    """
    if edited.shape != real.shape or edited.ndim != 2:
        raise InputError(
            f"`edited` and `real` must be (n, C) alike, got {tuple(edited.shape)} and {tuple(real.shape)}."
        )
    total = weights.double().sum(1, keepdim=True)
    p, q = (
        (weights.double() @ (probabilities >= POSITIVE).double() + PRIOR) / (total + 2 * PRIOR)
        for probabilities in (real, edited)
    )
    return (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).mean(1)
