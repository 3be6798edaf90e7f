"""Overlap of two masks."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError


def dice(first: torch.Tensor, second: torch.Tensor) -> float | None:
    """Return `2 |A & B| / (|A| + |B|)` (Dice, *Measures of the Amount of Ecologic Association*, 1945).

    Args:
        first: bool masks of one shape.
        second: like `first`.

    Returns:
        In [0, 1]; ``None`` if both masks are empty.

    Raises:
        InputError: another type, or shapes that differ.
    """
    if first.shape != second.shape or first.dtype != torch.bool or second.dtype != torch.bool:
        raise InputError(
            f"Both masks must be bool and of one shape, got {tuple(first.shape)} and {tuple(second.shape)}."
        )
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else None
