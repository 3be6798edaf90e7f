"""The place hint: where a finding is to lie, told to a model through its noise.

A model that is trained to regress a picture from pure noise cannot know where, in the region that the instruction
leaves open, its pair shows the finding: it predicts the mean of all places, a thin veil. The place hint tells it. The
noise is shifted, in training where the pair differs, in an edit where the finding is to lie. Channels, weights and
schedule of the model stay those of InstructPix2Pix, and noise without the shift leaves the place open, as for a
removal.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F

_LEAST = 1e-3  # greatest extent under which there is none
_DEEP = 80  # percentile of the depths in a mask from which a pixel is as deep as any


def graded_cells(extents: torch.Tensor, cells: tuple[int, int]) -> torch.Tensor:
    """Return how much each latent cell takes part in a finding, relative to the cell that does most.

    Args:
        extents: `(B, 1, H, W)` in [-1, 1], of canvases; see `x2x_core.pseudomasks.extents`.
        cells: `(h, w)` of the latents.

    Returns:
        `(B, 1, h, w)` in [0, 1]; all 0 without an extent.
    """
    shares = F.adaptive_avg_pool2d(extents.abs(), cells)
    return shares / shares.flatten(1).amax(dim=1)[:, None, None, None].clamp_min(_LEAST)


def depth_in(masks: torch.Tensor) -> torch.Tensor:
    """Return how deep each pixel lies in its region of a mask, from 0 outside to 1 for the deepest fifth.

    A mask is wider than the finding that it is drawn around, so a hint rises from its border inwards. Each of several
    regions is a place of its own, however small it is beside the others.

    Args:
        masks: `(B, 1, H, W)` bool.
    """
    return torch.stack([_depth_in(mask[0]) for mask in masks.cpu()])[:, None]


def _depth_in(mask: torch.Tensor) -> torch.Tensor:
    padded = np.pad(mask.numpy().astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)
    _, regions = cv2.connectedComponents(padded, connectivity=8)
    depth = depth / _percentiles(depth, regions, _DEEP)[regions]
    return torch.from_numpy(depth[1:-1, 1:-1].clip(0, 1)).float()


def _percentiles(values: np.ndarray, regions: np.ndarray, percent: float) -> np.ndarray:
    """Return a percentile of the values in each region, `(N,)`; 1 for the region 0, which is none."""
    inside = regions > 0
    values, numbers = values[inside], regions[inside] - 1
    if not numbers.any():  # one region, or none
        return np.array([1, np.percentile(values, percent) if len(values) else 1], np.float32)
    ordered = values[np.lexsort((values, numbers))]
    sizes = np.bincount(numbers)
    place = np.cumsum(sizes) - sizes + percent / 100 * (sizes - 1)
    below, above = np.floor(place).astype(int), np.ceil(place).astype(int)
    found = ordered[below] + (place - below) * (ordered[above] - ordered[below])
    return np.append(1, found).astype(np.float32)


def add_place_hint(noise: torch.Tensor, cells: torch.Tensor, strength: float) -> torch.Tensor:
    """Shift noise within a region.

    Args:
        noise: `(B, C, h, w)`, standard normal.
        cells: `(B, 1, h, w)`, bool or in [0, 1]: the region in latent cells.
        strength: the shift, in standard deviations of the noise; 0 gives no hint.

    Returns:
        `(B, C, h, w)`.
    """
    return noise + strength * cells.to(noise) if strength else noise
