"""Pearson's correlation of what a network reads off images with the truth."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError


def pearson(found: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Pearson's correlation, in [-1, 1]; nan where one of the two does not vary.

    Args:
        found, truth: `(n,)`.
        weights: `(R, n)`, not negative.

    Returns:
        `(R,)` float64.
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
    level = [float(values.double().square().mean()) for values in (found, truth)] if len(found) else [0.0, 0.0]
    flat = (products[1] <= _FLAT * level[0]) | (products[2] <= _FLAT * level[1])
    return torch.where(flat, torch.nan, products[0] / (products[1] * products[2]).sqrt()).clamp(-1, 1)


_FLAT = 1e-24  # variance relative to the mean square under which numbers are all one but for rounding
