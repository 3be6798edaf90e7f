"""Likeness of two sets of features by their nearest neighbours.

Each image of a set covers a ball around its features that reaches to its k-th nearest neighbour in the set.

- Precision, recall and realism: Kynkäänniemi et al., *Improved Precision and Recall Metric for Assessing Generative
  Models* (2019).
- Density and coverage: Naeem et al., *Reliable Fidelity and Diversity Metrics for Generative Models* (2020).

All functions give one number for each image, whose mean over images is the measure, so that intervals can be read.
"""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

NEAREST = 5  # k, as CheXGenBench uses it
_NEAREST_REALISM = 3  # k of the realism score, as published


def radii(features: torch.Tensor, nearest: int = NEAREST) -> torch.Tensor:
    """Return the distance of each image to its k-th nearest neighbour in its own set, `(n,)` float64.

    Args:
        features: `(n, D)`.
        nearest: k, below n.

    Raises:
        InputError: too few images.
    """
    if features.ndim != 2 or not 1 <= nearest < len(features):
        raise InputError(
            f"`features` must be (n, D) with more than {nearest} images, which is `nearest`, got "
            f"{tuple(features.shape)}."
        )
    return _distances(features, features).kthvalue(nearest + 1, dim=1).values  # the first is the image itself


def covered(features: torch.Tensor, balls: torch.Tensor, reach: torch.Tensor) -> torch.Tensor:
    """Return for each image how many balls it lies in, `(n,)` float64.

    Args:
        features: `(n, D)`.
        balls: centres, `(m, D)`.
        reach: radius of each ball, `(m,)`.
    """
    return (_distances(features, balls) < reach).double().sum(1)


def precision(edited: torch.Tensor, real: torch.Tensor, nearest: int = NEAREST) -> torch.Tensor:
    """Return for each edited image whether it lies in a ball of a real one: 1 or 0, `(n,)` float64.

    Args:
        edited: features `(n, D)`.
        real: features `(m, D)`.
        nearest: k.
    """
    return (covered(edited, real, radii(real, nearest)) > 0).double()


def recall(edited: torch.Tensor, real: torch.Tensor, nearest: int = NEAREST) -> torch.Tensor:
    """Return for each real image whether it lies in a ball of an edited one: 1 or 0, `(m,)` float64."""
    return precision(real, edited, nearest)


def density(edited: torch.Tensor, real: torch.Tensor, nearest: int = NEAREST) -> torch.Tensor:
    """Return for each edited image in how many balls of real ones it lies, over k: `(n,)` float64, at least 0."""
    return covered(edited, real, radii(real, nearest)) / nearest


def coverage(edited: torch.Tensor, real: torch.Tensor, nearest: int = NEAREST) -> torch.Tensor:
    """Return for each real image whether an edited one lies in its ball: 1 or 0, `(m,)` float64."""
    return (_distances(real, edited).amin(1) < radii(real, nearest)).double()


def realism(edited: torch.Tensor, real: torch.Tensor, nearest: int = _NEAREST_REALISM) -> torch.Tensor:
    """Return the realism score of each edited image: the largest ratio of a real ball's radius to its distance.

    At least 1 inside a ball. As published, the half of the balls with the largest radii is left out: they lie where
    real images are rare.

    Args:
        edited: features `(n, D)`.
        real: features `(m, D)`.
        nearest: k.

    Returns:
        `(n,)` float64, above 0; infinite for an image that equals a real one.
    """
    reach = radii(real, nearest)
    kept = reach <= reach.quantile(0.5)
    return (reach[kept] / _distances(edited, real[kept])).amax(1)


def _distances(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return Euclidean distances `(n, m)` float64, exact for equal images."""
    return torch.cdist(first.double(), second.double(), compute_mode="donot_use_mm_for_euclid_dist")
