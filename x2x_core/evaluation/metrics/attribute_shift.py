"""Shift of attributes, as a network reads them, from those of the real target."""

from __future__ import annotations

import torch


def attribute_shifts(found: torch.Tensor, target: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return `|found - target| / std(truth)` for each pair and attribute.

    Args:
        found: readings of the images to judge and of the real targets, `(n, A)`.
        target: like `found`.
        truth: true attributes of all pairs, `(m, A)`, whose standard deviation is the unit.

    Returns:
        `(n, A)`, at least 0.
    """
    spread = truth.std(dim=0, correction=0).clamp_min(1e-12)
    return (found - target).abs() / spread
