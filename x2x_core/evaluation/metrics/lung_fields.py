"""Lung fields of an image, for the overlap of an edit's lungs with those of its input."""

from __future__ import annotations

import torch

from x2x_core.anatomy.lungs import INSIDE, LungFinder


def find_lungs(image: torch.Tensor, finder: LungFinder | None = None) -> torch.Tensor:
    """Return both lung fields of an image together.

    Args:
        image: `(1, H, W)` in [0, 1].
        finder: network to use; ``None``: the bundled one.

    Returns:
        `(1, H, W)` bool.
    """
    masks = (finder or LungFinder.bundled()).find(image[None])
    return (torch.maximum(masks.right, masks.left) > INSIDE)[0]
