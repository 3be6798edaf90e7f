"""What the native nodes are given: models, conditionings, latents and masks, checked and brought to one form."""

from __future__ import annotations

from typing import Any

import comfy.model_base
import node_helpers
import torch

from x2x_core.common.errors import InputError
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.geometry import Padding
from x2x_core.pseudomasks.given import as_guidance_mask

IMAGE = "concat_latent_image"  # where ComfyUI's InstructPix2Pix models look for the image's latent


def check_model(model: Any) -> None:
    """See that a MODEL sees the image's latent.

    Raises:
        InputError: it does not.
    """
    if not isinstance(model.model, comfy.model_base.IP2P):
        raise InputError(
            f"`model` must be an InstructPix2Pix model, which sees the image's latent, got {type(model.model).__name__}."
            " Load one with Load InstructX2X (Native), or an InstructPix2Pix checkpoint with Load Checkpoint."
        )


def image_samples(latent: dict[str, Any], model: Any, name: str) -> torch.Tensor:
    """The latents of a LATENT, `(B, C, h, w)`, unscaled.

    Args:
        latent: ComfyUI's.
        model: the MODEL that is to see them.
        name: of the input, for the message.

    Raises:
        InputError: not latents of this model.
    """
    samples = latent["samples"]
    channels = model.model.latent_format.latent_channels
    if samples.ndim != 4 or samples.shape[1] != channels:
        raise InputError(
            f"`{name}` must be of shape (batch, {channels}, height, width) for this model, got {tuple(samples.shape)}. "
            "Encode the image with this checkpoint's own VAE."
        )
    return samples


def to_batch(values: torch.Tensor, count: int, name: str) -> torch.Tensor:
    """One for all, or one each: `values` of a batch of 1 or `count`, brought to `count`.

    Raises:
        InputError: another batch size.
    """
    if len(values) not in (1, count):
        raise InputError(f"`{name}` must hold one, or one for each of {count} images, got {len(values)}.")
    return values.expand(count, *values.shape[1:])


def with_image(conditioning: Any, samples: torch.Tensor) -> list:
    """A conditioning that shows the model the image's latents, `(B, C, h, w)`, unscaled."""
    return node_helpers.conditioning_set_values(conditioning, {IMAGE: samples})


def without_image(conditioning: Any) -> list:
    """A conditioning that shows the model no image, which is zeros to it."""
    return [[text, {name: value for name, value in more.items() if name != IMAGE}] for text, more in conditioning]


def bool_mask(mask: torch.Tensor) -> torch.Tensor:
    """A MASK, `(B, H, W)` or `(H, W)`, as `(B, 1, H, W)` bool: white from one half on."""
    return as_guidance_mask(mask.clamp(0, 1), tuple(mask.shape[-2:]))


def mask_cells(mask: torch.Tensor, cells: tuple[int, int]) -> torch.Tensor:
    """Every latent cell that a mask touches.

    Args:
        mask: `(B, 1, H, W)` bool, of any size; one of the picture's own size is cut as VAE Encode cuts the picture.
        cells: `(h, w)` of the latents.

    Returns:
        `(B, 1, h, w)` bool.
    """
    rows, columns = _encoded_part(tuple(mask.shape[-2:]), cells)
    mask = mask[..., rows, columns]
    return Canvas(tuple(mask.shape[-2:]), cells, Padding(), 1).cells_of(mask)


def _encoded_part(size: tuple[int, int], cells: tuple[int, int]) -> tuple[slice, slice]:
    """The rows and columns of a picture that VAE Encode takes: whole cells, about the middle."""
    scale = size[0] // cells[0]
    if scale == 0 or any(side // scale != count for side, count in zip(size, cells)):
        return slice(None), slice(None)  # of another size than the picture: the whole of it
    return tuple(slice(side % scale // 2, side % scale // 2 + count * scale) for side, count in zip(size, cells))
