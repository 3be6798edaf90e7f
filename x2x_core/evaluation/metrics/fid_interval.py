"""FID with an interval: a bootstrap centred on the value itself."""

from __future__ import annotations

import torch

from x2x_core.evaluation.results import Metric

from .bootstrap import ONE_PATIENT, is_one_group, percentile_bounds
from .frechet import Gaussian, fid, frechet_distance

RESAMPLES = 200  # each costs two eigendecompositions
MOST_FEATURES = 256  # beyond this a resample takes too long
CENTRED = "interval: spread of the bootstrap about the figure, since resampled sets lie further apart than new ones"


def fid_with_interval(edited: torch.Tensor, real: torch.Tensor, counts: torch.Tensor) -> Metric:
    """Return FID between features `(n, D)` of the same pairs, with a 95 % interval if D is at most `MOST_FEATURES`.

    A resampled set repeats images, which biases every resampled distance upwards: the interval is the spread of the
    resampled distances about their own mean, centred on the value and cut at 0.

    Args:
        edited: features of the same pairs.
        real: like `edited`.
        counts: how often each pair is in each resample, `(R, n)`; the first `RESAMPLES` are used.
    """
    if len(edited) < 2:
        return Metric(None, n=len(edited), note="needs at least two images")
    value = fid(edited, real)
    if edited.shape[1] > MOST_FEATURES:
        return Metric(value, n=len(edited), note=f"no interval: {edited.shape[1]} features")
    if is_one_group(counts):
        return Metric(value, n=len(edited), note=ONE_PATIENT)
    drawn = torch.tensor([_resampled(edited, real, weights) for weights in counts[:RESAMPLES]], dtype=torch.float64)
    low, high = (max(0.0, value + end) for end in percentile_bounds(drawn - drawn.nanmean()))
    return Metric(value, low, high, len(edited), CENTRED)


def _resampled(edited: torch.Tensor, real: torch.Tensor, weights: torch.Tensor) -> float:
    if weights.sum() < 2:
        return float("nan")
    return frechet_distance(_weighted_gaussian(edited, weights), _weighted_gaussian(real, weights))


def _weighted_gaussian(features: torch.Tensor, weights: torch.Tensor) -> Gaussian:
    """Fit a Gaussian in which each image counts `weights` times."""
    values, total = features.double(), weights.sum()
    mean = weights @ values / total
    centred = values - mean
    return mean, (centred * weights[:, None]).T @ centred / (total - 1)
