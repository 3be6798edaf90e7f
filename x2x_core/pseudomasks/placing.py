"""Placing a mask of the anatomical frame over an image."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from x2x_core.anatomy.frame import Frame, pixel_centres
from x2x_core.imaging.geometry import resize


def place(mask: torch.Tensor, size: tuple[int, int], frame: Frame | None, published: bool = False) -> torch.Tensor:
    """Place a mask over an image.

    Args:
        mask: `(h, w)` in [0, 1] over the unit square.
        size: `(height, width)` of the image in pixels.
        frame: the anatomical frame in the image; ``None``: the frame is the whole image.
        published: interpolate without antialiasing, as the published code does.

    Returns:
        `(1, 1, H, W)` in [0, 1].
    """
    batch = mask[None, None]
    if frame is not None:
        return place_in_frame(batch, size, frame)
    if tuple(mask.shape) == size:
        return batch.clone()
    if published:
        return F.interpolate(batch, size, mode="bilinear", align_corners=False)
    return resize(batch, size).clamp(0, 1)


def place_in_frame(mask: torch.Tensor, size: tuple[int, int], frame: Frame) -> torch.Tensor:
    """Place a mask `(1, 1, h, w)` of the anatomical frame over an image of `size`: `(1, 1, H, W)`, 0 outside the frame."""
    grid = frame.to_frame(pixel_centres(size))[None] * 2 - 1
    inside = ((grid.abs() <= 1).all(dim=-1))[:, None]
    sampled = F.grid_sample(mask, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return (sampled * inside).clamp(0, 1)
