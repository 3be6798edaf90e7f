"""Polarity of a radiograph: are its lungs darker than the tissue around them?

An inverted film, with bones dark and the background bright, shows lungs that are brighter than the mediastinum, the
chest wall and the abdomen around them. The lungs are found in either polarity, so that their median grey can be
compared with that of the rest of their bounding box.

Measured on 40 films of NIH ChestX-ray14 drawn at random, which are not part of this project: the lungs are darker in
all, by 0.28 to 0.62 of the box's range of greys, and brighter in all of their inverted copies, by 0.29 to 0.61.
"""

from __future__ import annotations

import torch

from .lung_masks import INSIDE, LungMasks

CONTRAST = 0.08  # of the lungs to the rest, share of the box's range of greys, from which the film counts as inverted
_LOW, _HIGH = 0.05, 0.95  # quantiles that bound the range of greys


def lung_contrast(pixels: torch.Tensor, lungs: LungMasks) -> float:
    """Return how much darker the lungs are than the rest of their bounding box.

    Args:
        pixels: `(1, C, H, W)` in [0, 1].
        lungs: of this image, B = 1.

    Returns:
        Difference of the medians as a share of the box's range of greys, in [-1, 1]; 0 if there is nothing to compare.
    """
    grey = pixels[0].mean(0)
    inside = ((lungs.right > INSIDE) | (lungs.left > INSIDE)).reshape(grey.shape)
    if not inside.any():
        return 0.0
    rows, columns = inside.any(1).nonzero().flatten(), inside.any(0).nonzero().flatten()
    box = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    grey, inside = grey[box].float(), inside[box]
    if inside.all():
        return 0.0
    values = grey.flatten()
    low, high = (float(values.kthvalue(1 + round(share * (len(values) - 1))).values) for share in (_LOW, _HIGH))
    if high <= low:
        return 0.0
    difference = float(grey[~inside].median() - grey[inside].median())
    return max(-1.0, min(1.0, difference / (high - low)))


def is_inverted(pixels: torch.Tensor, lungs: LungMasks) -> bool:
    """Return True if the lungs are clearly brighter than the tissue around them; see `lung_contrast`."""
    return lung_contrast(pixels, lungs) < -CONTRAST
