"""Frechet distance between two sets of features.

FID: Heusel et al., *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium* (2017).
"""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

Gaussian = tuple[torch.Tensor, torch.Tensor]  # mean (D,) and covariance (D, D)


def gaussian_of(features: torch.Tensor) -> Gaussian:
    """Fit a Gaussian to features `(n, D)`: mean `(D,)` and covariance `(D, D)`, float64.

    Raises:
        InputError: fewer than two images.
    """
    if features.ndim != 2 or len(features) < 2:
        raise InputError(f"`features` must be (n, D) with at least 2 images, got {tuple(features.shape)}.")
    values = features.double()
    mean = values.mean(0)
    centred = values - mean
    return mean, centred.T @ centred / (len(values) - 1)


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Return `|m1 - m2|^2 + trace(S1 + S2 - 2 (S1 S2)^(1/2))` for two Gaussians.

    The trace of the root is the sum of the square roots of the eigenvalues of `S1^(1/2) S2 S1^(1/2)`, which is
    symmetric, so singular covariances (fewer images than features) are handled.

    Args:
        first: mean `(D,)` and covariance `(D, D)` each.
        second: like `first`.

    Raises:
        InputError: dimensions that differ.
    """
    (mean, spread), (other_mean, other_spread) = ((m.double(), s.double()) for m, s in (first, second))
    if mean.shape != other_mean.shape:
        raise InputError(f"Both Gaussians must have as many dimensions, got {len(mean)} and {len(other_mean)}.")
    root = _matrix_root(spread)
    shared = torch.linalg.eigvalsh(root @ other_spread @ root).clamp_min(0).sqrt().sum()
    distance = (mean - other_mean).square().sum() + spread.trace() + other_spread.trace() - 2 * shared
    return max(0.0, float(distance))


def _matrix_root(matrix: torch.Tensor) -> torch.Tensor:
    """Return the square root of a symmetric positive semi-definite matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def fid(edited: torch.Tensor, real: torch.Tensor) -> float:
    """Return the Frechet distance between features `(n, D)` of edited images and `(m, D)` of real images.

    It decreases with the number of images, more so for more features: compare sets of one size only.
    """
    return frechet_distance(gaussian_of(edited), gaussian_of(real))
