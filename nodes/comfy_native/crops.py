"""Crops of pictures around a mask, to be edited at a finer scale than the whole pictures."""

from __future__ import annotations

import logging

import torch
import torch.nn.functional as F

from x2x_core.common.checkpoint_layout import CELL_PIXELS
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.crop_window import window_around

from .inputs import bool_mask, to_batch

logger = logging.getLogger(__name__)


def crop_to_mask(
    image: torch.Tensor, guidance_mask: torch.Tensor, side: int, margin: float
) -> tuple[torch.Tensor, torch.Tensor, Canvases]:
    """Cut a square out of each picture around its mask.

    Args:
        image: IMAGE `(B, H, W, C)`.
        guidance_mask: MASK of any size, one or one for each picture; the region is where it is at least 0.5.
        side: of the square after scaling, pixels.
        margin: around the mask, share of the picture's longer side, at least 0.

    Returns:
        The squares `(B, side, side, C)`, their masks `(B, side, side)` in [0, 1], and where they lie. Where a window
        is oblong, because the picture ends, its border is repeated to a square.

    Raises:
        InputError: numbers of pictures and masks that do not belong together.
    """
    count = max(len(image), len(guidance_mask) if guidance_mask.ndim > 2 else 1)
    pictures = to_batch(image, count, "image").movedim(-1, 1)
    size = pictures.shape[-2], pictures.shape[-1]
    mask = to_batch(bool_mask(guidance_mask), count, "guidance_mask")
    mask = F.interpolate(mask.float(), size, mode="nearest-exact")
    whole = Canvas.square(size, side, CELL_PIXELS)
    windows = [window_around(own > 0, margin) for own in mask[:, 0]]
    for number in (number for number, window in enumerate(windows) if window is None):
        logger.info("The mask of image %d is empty or nearly as large as the image, which is shown whole.", number)
    canvases = Canvases(tuple(whole.on(window) for window in windows))
    return canvases.place(pictures).movedim(1, -1), canvases.place(mask)[:, 0], canvases
