"""Between ComfyUI's tensors and the library's.

ComfyUI: IMAGE `(B, H, W, C)` float32 in [0, 1], C of 3 (or 1, or 4 with alpha); MASK `(B, H, W)` or `(H, W)` in [0, 1].
The library: images `(B, C, H, W)` with C of 1 or 3; maps and masks `(B, 1, H, W)`.
"""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

OVERSHOOT = 1e-3  # what resampling may overshoot [0, 1] by


def to_library(image: torch.Tensor, name: str = "image") -> torch.Tensor:
    """An IMAGE as the library takes it, on the CPU.

    Args:
        image: `(B, H, W, C)`. Alpha is laid over black, as a radiograph's background is.
        name: of the input, for messages.

    Returns:
        `(B, 1, H, W)` where the channels are equal everywhere, else `(B, 3, H, W)`; float32 in [0, 1].

    Raises:
        InputError: another shape, or values that are out of range or not numbers.
    """
    if not isinstance(image, torch.Tensor) or image.ndim != 4 or image.shape[-1] not in (1, 3, 4) or 0 in image.shape:
        shape = tuple(image.shape) if isinstance(image, torch.Tensor) else type(image).__name__
        raise InputError(f"`{name}` must be an IMAGE of 1, 3 or 4 channels, (B, H, W, C), got {shape}.")
    pixels = image.detach().to("cpu", torch.float32)
    _check_range(pixels, name)
    pixels = pixels.clamp(0, 1)
    if pixels.shape[-1] == 4:
        pixels = pixels[..., :3] * pixels[..., 3:]
    if pixels.shape[-1] == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., :1]
    return pixels.permute(0, 3, 1, 2).contiguous()


def to_image(pixels: torch.Tensor) -> torch.Tensor:
    """The library's `(B, 1 | 3, H, W)` as an IMAGE `(B, H, W, 3)` float32."""
    return pixels.detach().to("cpu", torch.float32).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous()


def to_mask(maps: torch.Tensor) -> torch.Tensor:
    """The library's map or mask `(B, 1, H, W)` as a MASK `(B, H, W)` float32."""
    return maps.detach().to("cpu", torch.float32)[:, 0].contiguous()


def to_map(mask: torch.Tensor, size: tuple[int, int], batch: int, name: str) -> torch.Tensor:
    """A MASK at an image's size, one for each image of a batch.

    Args:
        mask: `(B, H, W)`, `(B, 1, H, W)` or `(H, W)`, of any size; one serves all images.
        size: `(height, width)` of the image.
        batch: the number of images.
        name: of the input, for messages.

    Returns:
        `(batch, 1, H, W)` float32 in [0, 1] on the CPU.

    Raises:
        InputError: another shape or batch, or values that are out of range or not numbers.
    """
    from x2x_core.imaging.geometry import resize

    maps = as_maps(mask, name)
    if len(maps) not in (1, batch):
        raise InputError(
            f"`{name}` must hold one mask, or one for each of the {batch} images, got {len(maps)}. Take single masks "
            "out of it, or repeat it, before it is connected."
        )
    return resize(maps, size).clamp(0, 1).expand(batch, -1, -1, -1).contiguous()


def as_maps(mask: torch.Tensor, name: str) -> torch.Tensor:
    """A MASK as `(B, 1, H, W)` float32 in [0, 1] on the CPU, at its own size.

    Raises:
        InputError: another shape, or values that are out of range or not numbers.
    """
    if not isinstance(mask, torch.Tensor) or mask.ndim not in (2, 3, 4) or 0 in mask.shape:
        shape = tuple(mask.shape) if isinstance(mask, torch.Tensor) else type(mask).__name__
        raise InputError(f"`{name}` must be a MASK (B, H, W), got {shape}.")
    maps = mask.detach().to("cpu", torch.float32)
    maps = maps[None, None] if maps.ndim == 2 else maps[:, None] if maps.ndim == 3 else maps
    if maps.shape[1] != 1:
        raise InputError(f"`{name}` must be a MASK (B, H, W), got {tuple(mask.shape)}: is it an image?")
    _check_range(maps, name)
    return maps.clamp(0, 1)


def _check_range(values: torch.Tensor, name: str) -> None:
    if not torch.isfinite(values).all():
        raise InputError(f"`{name}` must hold finite numbers, got NaN or infinity.")
    lowest, highest = float(values.min()), float(values.max())
    if lowest < -OVERSHOOT or highest > 1 + OVERSHOOT:
        raise InputError(
            f"`{name}` must lie in [0, 1], got {lowest:g} to {highest:g}. Bring it to that range before it is "
            "connected."
        )


def from_picture(picture) -> torch.Tensor:
    """An RGB Pillow picture as an IMAGE `(1, H, W, 3)` float32 in [0, 1]."""
    import numpy as np

    return torch.from_numpy(np.asarray(picture.convert("RGB"), np.float32) / 255)[None]
