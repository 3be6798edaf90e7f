"""Conversion between ComfyUI's tensors and the library's.

ComfyUI: IMAGE `(B, H, W, C)` float32 in [0, 1], C of 3 (or 1, or 4 with alpha); MASK `(B, H, W)` or `(H, W)` in [0, 1].
Library: images `(B, C, H, W)` with C of 1 or 3; maps and masks `(B, 1, H, W)`.
"""

from __future__ import annotations

import torch
from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.imaging.ranges import is_signed


def size_of(values: torch.Tensor) -> tuple[int, int]:
    """Return height and width of `(..., H, W)`."""
    height, width = values.shape[-2:]
    return height, width


def to_library(image: torch.Tensor, name: str = "image") -> torch.Tensor:
    """Convert an IMAGE to the library's layout, on the CPU.

    Args:
        image: `(B, H, W, C)`. Transparent pixels become black, like the background of a radiograph. Overshoot from
            resampling is clipped with a warning.
        name: of the input, for messages.

    Returns:
        `(B, 1, H, W)` if the channels are equal everywhere, else `(B, 3, H, W)`; float32 in [0, 1].

    Raises:
        InputError: wrong shape, NaN, or values outside [0, 1].
    """
    if not isinstance(image, torch.Tensor) or image.ndim != 4 or image.shape[-1] not in (1, 3, 4) or 0 in image.shape:
        shape = tuple(image.shape) if isinstance(image, torch.Tensor) else type(image).__name__
        raise InputError(f"`{name}` must be an IMAGE of shape (B, H, W, C) with 1, 3 or 4 channels, got {shape}.")
    pixels = _in_range(image.detach().to("cpu", torch.float32), name)
    if pixels.shape[-1] == 4:
        pixels = pixels[..., :3] * pixels[..., 3:]
    if pixels.shape[-1] == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., :1]
    return pixels.permute(0, 3, 1, 2).contiguous()


def to_image(pixels: torch.Tensor) -> torch.Tensor:
    """Convert the library's `(B, 1 | 3, H, W)` to an IMAGE `(B, H, W, 3)` float32."""
    return pixels.detach().to("cpu", torch.float32).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous()


def to_mask(maps: torch.Tensor) -> torch.Tensor:
    """Convert the library's map or mask `(B, 1, H, W)` to a MASK `(B, H, W)` float32."""
    return maps.detach().to("cpu", torch.float32)[:, 0].contiguous()


def to_map(mask: torch.Tensor, size: tuple[int, int], batch: int, name: str) -> torch.Tensor:
    """Resize a MASK to an image and broadcast it to the batch.

    Args:
        mask: `(B, H, W)`, `(B, 1, H, W)` or `(H, W)`, of any size, with one mask or one per image.
        size: `(height, width)` of the image.
        batch: number of images.
        name: of the input, for messages.

    Returns:
        `(batch, 1, H, W)` float32 in [0, 1] on the CPU.

    Raises:
        InputError: wrong shape or batch size, NaN, or values outside [0, 1].
    """
    from x2x_core.imaging.geometry import resize

    maps = as_maps(mask, name)
    if len(maps) not in (1, batch):
        raise InputError(
            f"`{name}` must hold one mask, or one for each of the {batch} images, got {len(maps)}. Select or repeat "
            "masks before connecting it."
        )
    return resize(maps, size).clamp(0, 1).expand(batch, -1, -1, -1).contiguous()


def as_maps(mask: torch.Tensor, name: str) -> torch.Tensor:
    """Convert a MASK to `(B, 1, H, W)` float32 in [0, 1] on the CPU, at its own size.

    Raises:
        InputError: wrong shape, NaN, or values outside [0, 1].
    """
    if not isinstance(mask, torch.Tensor) or mask.ndim not in (2, 3, 4) or 0 in mask.shape:
        shape = tuple(mask.shape) if isinstance(mask, torch.Tensor) else type(mask).__name__
        raise InputError(f"`{name}` must be a MASK of shape (B, H, W), got {shape}.")
    maps = mask.detach().to("cpu", torch.float32)
    maps = maps[None, None] if maps.ndim == 2 else maps[:, None] if maps.ndim == 3 else maps
    if maps.shape[1] != 1:
        raise InputError(
            f"`{name}` must be a MASK of shape (B, H, W), got {tuple(mask.shape)}. Convert an IMAGE with Convert Image "
            "to Mask."
        )
    return _in_range(maps, name)


def _in_range(values: torch.Tensor, name: str) -> torch.Tensor:
    """Clip `(B, ...)` to [0, 1] after checking that it only overshoots, as resampled pictures do.

    Raises:
        InputError: NaN, or values outside [0, 1].
    """
    if not torch.isfinite(values).all():
        raise InputError(f"`{name}` must hold finite numbers, got NaN or infinity.")
    try:
        signed = is_signed([*values])
    except InputError:
        signed = True
    if signed:
        raise InputError(
            f"`{name}` must lie in [0, 1], got {float(values.min()):g} to {float(values.max()):g}. Scale it to that "
            "range before connecting it."
        )
    return values.clamp(0, 1)


def from_picture(picture: Image.Image) -> torch.Tensor:
    """Convert a Pillow picture to an IMAGE `(1, H, W, 3)` float32 in [0, 1]."""
    import numpy as np

    return torch.from_numpy(np.asarray(picture.convert("RGB"), np.float32) / 255)[None]
