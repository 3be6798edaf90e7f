"""Pairs with exact ground truth, their edits, and the region in which the truth changes."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import torch

from x2x_core.imaging.changed import changed_region, grown

GROWTH = 0.04  # radius by which the true region is grown, as a share of the longer side


@dataclass(frozen=True)
class TruePair:
    """An image, what it should become, and the instruction.

    Args:
        before: `(1, H, W)` in [0, 1].
        after: like `before`.
        instruction: text that leads from one to the other.
        body: simulated body (or patient); pairs of one body are resampled together. ``None``: a body of its own.
    """

    before: torch.Tensor
    after: torch.Tensor
    instruction: str
    body: Hashable = None


@dataclass(frozen=True)
class EditedPair:
    """An edit of a pair's `before`: `(1, H, W)` each."""

    image: torch.Tensor  # grey, in [0, 1]
    mask: torch.Tensor  # guidance mask, bool
    guidance_map: torch.Tensor  # in [0, 1]


def true_region(change: torch.Tensor) -> torch.Tensor:
    """Return the exact region of a true change grown by `GROWTH`: `(1, H, W)` to bool `(1, H, W)`."""
    return grown(changed_region(change), GROWTH)
