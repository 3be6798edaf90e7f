"""Pearson's correlation between what a network reads off images and the truth."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

_CONSTANT = 1e-24  # variance over mean square below which numbers are equal up to rounding


def pearson(found: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return Pearson's correlation, in [-1, 1]; nan if either side does not vary.

    Args:
        found: `(n,)`.
        truth: like `found`.
        weights: `(R, n)`, not negative.

    Returns:
        `(R,)` float64.

    Raises:
        InputError: shapes that do not match.
    """
    if found.ndim != 1 or truth.shape != found.shape or weights.shape[1:] != found.shape:
        raise InputError(
            f"`found`, `truth` and `weights` must be (n,), (n,) and (R, n), got {tuple(found.shape)}, "
            f"{tuple(truth.shape)} and {tuple(weights.shape)}."
        )
    share = weights.double() / weights.double().sum(1, keepdim=True)
    first, second = (share * 0 + values.double() for values in (found, truth))
    first, second = (values - (share * values).sum(1, keepdim=True) for values in (first, second))
    products = [(share * one * other).sum(1) for one, other in ((first, second), (first, first), (second, second))]
    mean_square = [float(values.double().square().mean()) for values in (found, truth)] if len(found) else [0.0, 0.0]
    constant = (products[1] <= _CONSTANT * mean_square[0]) | (products[2] <= _CONSTANT * mean_square[1])
    return torch.where(constant, torch.nan, products[0] / (products[1] * products[2]).sqrt()).clamp(-1, 1)
