"""Frechet distance between two sets of features (FID; Heusel et al., NeurIPS 2017)."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError


def gaussian_of(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean `(D,)` and covariance `(D, D)` of features `(n, D)`, float64.

    Raises:
        InputError: fewer than two images.
    """
    if features.ndim != 2 or len(features) < 2:
        raise InputError(f"`features` must be (n, D) with at least 2 images, got {tuple(features.shape)}.")
    values = features.double()
    mean = values.mean(0)
    centred = values - mean
    return mean, centred.T @ centred / (len(values) - 1)


def frechet_distance(first: tuple[torch.Tensor, torch.Tensor], second: tuple[torch.Tensor, torch.Tensor]) -> float:
    """`|m1 - m2|^2 + trace(S1 + S2 - 2 (S1 S2)^(1/2))` of two Gaussians, each a mean `(D,)` and covariance `(D, D)`.

    The trace of the root is the sum of the roots of the eigenvalues of `S1^(1/2) S2 S1^(1/2)`, which is symmetric, so
    that singular covariances (fewer images than features) do no harm.
    """
    (mean, spread), (other_mean, other_spread) = ((m.double(), s.double()) for m, s in (first, second))
    if mean.shape != other_mean.shape:
        raise InputError(f"Both Gaussians must have as many dimensions, got {len(mean)} and {len(other_mean)}.")
    root = _root(spread)
    shared = torch.linalg.eigvalsh(root @ other_spread @ root).clamp_min(0).sqrt().sum()
    distance = (mean - other_mean).square().sum() + spread.trace() + other_spread.trace() - 2 * shared
    return max(0.0, float(distance))


def _root(matrix: torch.Tensor) -> torch.Tensor:
    """The square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def fid(edited: torch.Tensor, real: torch.Tensor) -> float:
    """Frechet distance between features `(n, D)` of edited images and `(m, D)` of real ones.

    It falls with the number of images, the more so the more features there are: compare sets of one size only.
    """
    return frechet_distance(gaussian_of(edited), gaussian_of(real))
