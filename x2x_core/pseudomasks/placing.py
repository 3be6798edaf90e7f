"""Placing a mask of the anatomical frame over an image, and restricting it to a side and a zone."""

from __future__ import annotations

import logging

import torch
import torch.nn.functional as F

from x2x_core.anatomy.frame import AffineFrame, Frame, pixel_centres
from x2x_core.anatomy.sites import location_window, site_mask
from x2x_core.imaging.geometry import resize

from .maps import MASK_RESOLUTION, Place

logger = logging.getLogger(__name__)

# If a side or zone leaves less than this of a finding's map, the thorax there is the region: the words take precedence.
SMALLEST_SHARE = 0.005


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


def place_in_frame(mask: torch.Tensor, size: tuple[int, int], frame: AffineFrame) -> torch.Tensor:
    """Place a mask `(1, 1, h, w)` of the anatomical frame over an image: `(1, 1, H, W)`, 0 outside the frame."""
    grid = frame.to_frame(pixel_centres(size))[None] * 2 - 1
    inside = ((grid.abs() <= 1).all(dim=-1))[:, None]
    sampled = F.grid_sample(mask, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return (sampled * inside).clamp(0, 1)


def cut_to_place(mask: torch.Tensor, name: str, where: Place, frame: Frame | None) -> torch.Tensor:
    """Cut a mask to a side and a zone by smooth windows; if almost nothing is left, return the thorax there.

    Args:
        mask: `(1, 1, H, W)` in [0, 1] over the image.
        name: what the mask is of, for the log.
        where: the side and the zone.
        frame: the anatomical frame in the image; ``None``: the frame is the whole image.

    Returns:
        `(1, 1, H, W)` in [0, 1].

    Raises:
        InputError: an unknown side or zone.
    """
    if where.side in (None, "bilateral") and where.zone is None:
        return mask
    size = (mask.shape[-2], mask.shape[-1])
    window = place(location_window(where.side, where.zone, MASK_RESOLUTION), size, frame)
    cut = mask * window
    if cut.mean() >= SMALLEST_SHARE:
        return cut
    side = where.side or "either side"
    logger.info("%s is not expected at %s %s: the thorax there is the region.", name, side, where.zone)
    return place(site_mask("thorax"), size, frame) * window
