"""Frechet radiomics distance (FRD) between two sets of radiomic features.

Method: Konz, Osuala et al., *Fréchet Radiomic Distance (FRD): A Versatile Metric for Comparing Medical Imaging
Datasets*, Medical Image Analysis (2026), version 1 as `frd-score` computes it: features standardised by the real
images, then the logarithm of the squared Frechet distance.
"""

from __future__ import annotations

import math

import torch

from .frechet import fid


def radiomics_distance(edited: torch.Tensor, real: torch.Tensor) -> float | None:
    """Return FRD: the lower, the more alike; it has no zero, and is negative for sets that nearly coincide.

    Features that are constant over the real images, or not finite in any image, are left out (`frd-score` leaves out
    the images with an undefined feature instead).

    Args:
        edited: radiomic features `(n, D)`.
        real: radiomic features `(m, D)`.

    Returns:
        ``None`` if no feature is left, or if the sets coincide.

    Raises:
        InputError: fewer than two images in a set.
    """
    edited, real = edited.double(), real.double()
    mean, spread = real.mean(0), real.std(0, correction=0)
    usable = edited.isfinite().all(0) & real.isfinite().all(0) & (spread > 0)
    if not usable.any():
        return None
    edited, real = ((values[:, usable] - mean[usable]) / spread[usable] for values in (edited, real))
    distance = fid(edited, real)
    return math.log(distance) if distance > 0 else None
