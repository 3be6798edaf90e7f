"""FID with an interval: a bootstrap that is centred on the figure itself."""

from __future__ import annotations

import torch

from x2x_core.evaluation.results import Metric

from .bootstrap import ends_of
from .frechet import fid, frechet_distance

RESAMPLES = 200  # a distance costs two eigendecompositions
MOST_FEATURES = 256  # beyond them a resample takes too long
CENTRED = "interval: spread of the bootstrap about the figure, since resampled sets lie further apart than new ones"


def fid_with_interval(edited: torch.Tensor, real: torch.Tensor, counts: torch.Tensor) -> Metric:
    """FID of features `(n, D)` against `(n, D)`, with a 95 % interval where D is at most `MOST_FEATURES`.

    A resampled set repeats images, which moves every resampled distance up: the interval is the spread of the resampled
    distances about their own mean, laid about the figure, and does not go below 0.

    Args:
        edited, real: features of the same pairs.
        counts: of the pairs, `(R, n)`; the first `RESAMPLES` of them are used.
    """
    if len(edited) < 2:
        return Metric(None, n=len(edited), note="needs at least two images")
    value = fid(edited, real)
    if edited.shape[1] > MOST_FEATURES:
        return Metric(value, n=len(edited), note=f"no interval: {edited.shape[1]} features")
    if (counts == counts[:1]).all():
        return Metric(value, n=len(edited), note="no interval: all pairs are of one patient")
    drawn = torch.tensor([_resampled(edited, real, line) for line in counts[:RESAMPLES]], dtype=torch.float64)
    low, high = (max(0.0, value + end) for end in ends_of(drawn - drawn.nanmean()))
    return Metric(value, low, high, len(edited), CENTRED)


def _resampled(edited: torch.Tensor, real: torch.Tensor, weights: torch.Tensor) -> float:
    if weights.sum() < 2:
        return float("nan")
    return frechet_distance(_weighted(edited, weights), _weighted(real, weights))


def _weighted(features: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and covariance where each image counts `weights` times."""
    values, total = features.double(), weights.sum()
    mean = weights @ values / total
    centred = values - mean
    return mean, (centred * weights[:, None]).T @ centred / (total - 1)
