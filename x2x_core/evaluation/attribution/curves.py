"""Deletion and insertion of pixels in the order of a map (Petsiuk et al., *RISE*, BMVC 2018).

Deleted pixels get the value of the blurred image, inserted ones come back into it: a blurred image is closer to what
the classifier knows than a black one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from x2x_core.common.errors import InputError

from .blurring import blurred
from .target import Target

STEPS = 20


@dataclass(frozen=True)
class Curves:
    """Probabilities as pixels are deleted or inserted, each `(STEPS + 1,)` float64, and the areas below."""

    deletion: torch.Tensor
    insertion: torch.Tensor

    @property
    def deletion_area(self) -> float:
        """Area below the deletion curve over [0, 1]; lower is better."""
        return float(torch.trapezoid(self.deletion)) / (len(self.deletion) - 1)

    @property
    def insertion_area(self) -> float:
        """Area below the insertion curve over [0, 1]; higher is better."""
        return float(torch.trapezoid(self.insertion)) / (len(self.insertion) - 1)


def deletion_insertion(target: Target, image: torch.Tensor, map: torch.Tensor, steps: int = STEPS) -> Curves:
    """Delete and insert pixels in equal steps, the highest of the map first; ties in the order of rows.

    Args:
        target: what is explained.
        image: `(1, 1, H, W)` in [0, 1].
        map: like `image`, any finite values.
        steps: number of steps.

    Raises:
        InputError: another shape, or `steps` below 1.
    """
    if map.shape != image.shape or image.shape[:2] != (1, 1):
        raise InputError(f"`map` must have the image's shape (1, 1, H, W), got {tuple(map.shape)}.")
    if steps < 1:
        raise InputError(f"`steps` must be at least 1, got {steps}.")
    order = map.flatten().argsort(descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    rank = rank.reshape(image.shape)
    smooth = blurred(image)
    counts = [round(step * len(order) / steps) for step in range(steps + 1)]
    first = torch.cat([rank < count for count in counts])
    deletion = target.probability(torch.where(first, smooth, image))
    insertion = target.probability(torch.where(first, image, smooth))
    return Curves(deletion, insertion)
