"""Carrying values from where they are known to where they are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .wide_blur import smooth


def continue_field(
    values: np.ndarray, weight: np.ndarray, start: np.ndarray, sigmas: Sequence[float], trusted: float
) -> np.ndarray:
    """Return values carried on over a picture by normalised convolution, from coarse to fine, `(H, W)` float32.

    Each pixel gets a mean over its surroundings, from the narrowest scale that contains enough known pixels.
    Method: Knutsson and Westin, *Normalized and differential convolution*, CVPR 1993.

    Args:
        values: `(H, W)` float32.
        weight: `(H, W)` float32, 1 where they are known, else 0.
        start: `(H, W)` float32, where no scale knows any.
        sigmas: standard deviations of the scales in pixels, coarse first.
        trusted: share of a scale's surroundings that must be known for its mean to be taken in full.
    """
    field = start
    for sigma in sigmas:
        known, summed = (smooth(part, sigma) for part in (weight, weight * values))
        trust = (known / trusted).clip(0, 1)
        field = field * (1 - trust) + trust * np.where(known > 1e-4, summed / np.maximum(known, 1e-4), field)
    return field
