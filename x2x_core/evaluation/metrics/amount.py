"""Amount of the true change that an edit makes."""

from __future__ import annotations

import torch


def amount(change: torch.Tensor, truth: torch.Tensor) -> float | None:
    """Return `<change, truth> / <truth, truth>`: 1 for the truth, 0 for no change, negative for the opposite.

    Args:
        change: changes of the image, `(1, H, W)`.
        truth: like `change`.

    Returns:
        ``None`` if the true change is 0.
    """
    whole = float(truth.double().square().sum())
    return float((change.double() * truth.double()).sum()) / whole if whole else None
