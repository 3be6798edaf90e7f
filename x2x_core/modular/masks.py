"""Masks in the form that diffusers' inpainting blocks take."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image


def to_mask_images(mask: torch.Tensor) -> Image.Image | list[Image.Image]:
    """Return masks `(B, 1, H, W)` bool as grey pictures, white where the image may change: one, or a list."""
    pictures = [Image.fromarray(own[0].numpy().astype(np.uint8) * 255) for own in mask.cpu()]
    return pictures[0] if len(pictures) == 1 else pictures


def to_masks(mask_image: Image.Image | list[Image.Image]) -> torch.Tensor:
    """Return pictures of masks as `(B, 1, H, W)` bool; grey counts from its middle."""
    pictures = mask_image if isinstance(mask_image, list) else [mask_image]
    return torch.stack([torch.from_numpy(np.array(own.convert("L")))[None] >= 128 for own in pictures])
