"""Inputs of the native nodes: models, conditionings, latents and masks, checked and in one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import comfy.model_base
import node_helpers
import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.geometry import Padding
from x2x_core.pseudomasks.given import as_guidance_mask, as_keep_mask

from .cropping import encoded_part

IMAGE = "concat_latent_image"  # key under which ComfyUI's InstructPix2Pix models expect the image's latent

Model = Any  # ComfyUI's MODEL, which has no stubs
Conditioning = list[Any]  # ComfyUI's CONDITIONING
Latent = dict[str, Any]  # ComfyUI's LATENT


@dataclass(frozen=True)
class Conditionings:
    """The conditionings of an instruction and of an empty text."""

    positive: Conditioning
    negative: Conditioning


def takes_image(model: Model) -> bool:
    """Return True if a MODEL has three branches, conditioned on the image's latent too, as InstructPix2Pix does."""
    return isinstance(model.model, comfy.model_base.IP2P)


def image_samples(latent: Latent, model: Model, name: str) -> torch.Tensor:
    """Return the unscaled latents of the pictures of a LATENT.

    Args:
        latent: the LATENT.
        model: the MODEL they are for.
        name: of the input, for the message.

    Returns:
        `(B, C, h, w)`, or `(B, C, 1, h, w)` for a model whose latents have frames, such as Qwen-Image.

    Raises:
        InputError: latents of another model, or of a video.
    """
    samples = latent["samples"]
    layout = model.model.latent_format
    has_frames = layout.latent_dimensions == 3
    if getattr(samples, "is_nested", False) or (samples.ndim == 5 and samples.shape[2] > 1):
        frames = "several parts" if getattr(samples, "is_nested", False) else f"{samples.shape[2]} frames"
        raise InputError(f"`{name}` must be the latent of pictures, not of a video, got {frames}.")
    if has_frames and samples.ndim == 4:
        samples = samples.unsqueeze(2)
    if samples.ndim != (5 if has_frames else 4) or samples.shape[1] != layout.latent_channels:
        shape = f"(batch, {layout.latent_channels}, {'1, ' if has_frames else ''}height, width)"
        raise InputError(
            f"`{name}` must have shape {shape} for this model, got {tuple(samples.shape)}. Encode the image with the "
            "VAE of this checkpoint."
        )
    return samples


def to_batch(values: torch.Tensor, count: int, name: str) -> torch.Tensor:
    """Broadcast a batch of 1 or `count` to `count`.

    Raises:
        InputError: another batch size.
    """
    if len(values) not in (1, count):
        raise InputError(f"`{name}` must hold one, or one for each of {count} images, got {len(values)}.")
    return values.expand(count, *values.shape[1:])


def with_image(conditioning: Conditioning, samples: torch.Tensor) -> Conditioning:
    """Return a conditioning with the image's unscaled latents `(B, C, h, w)`."""
    return node_helpers.conditioning_set_values(conditioning, {IMAGE: samples})


def without_image(conditioning: Conditioning) -> Conditioning:
    """Return a conditioning without the image's latents, which the model reads as zeros."""
    return [[text, {name: value for name, value in more.items() if name != IMAGE}] for text, more in conditioning]


def bool_mask(mask: torch.Tensor) -> torch.Tensor:
    """Return a MASK `(B, H, W)` or `(H, W)` as `(B, 1, H, W)` bool, True for values of at least 0.5."""
    height, width = mask.shape[-2:]
    return as_guidance_mask(mask.clamp(0, 1), (height, width))


def kept(mask: torch.Tensor) -> torch.Tensor:
    """Return a MASK `(B, H, W)` or `(H, W)` of what must stay as `(B, 1, H, W)` bool, True for values above 0."""
    height, width = mask.shape[-2:]
    return as_keep_mask(mask.clamp(0, 1), (height, width))


def mask_without(guidance_mask: torch.Tensor | None, keep_mask: torch.Tensor | None) -> torch.Tensor | None:
    """Return where an image may change.

    Args:
        guidance_mask: MASK of any size, the image may change where it is at least 0.5; ``None``: everywhere.
        keep_mask: MASK of any size, the image stays as it is where it is above 0; ``None``: nothing is kept.

    Returns:
        `(B, 1, H, W)` bool, of the size of `guidance_mask`, or else of `keep_mask`; ``None``: everywhere.

    Raises:
        InputError: different numbers of masks.
    """
    mask = None if guidance_mask is None else bool_mask(guidance_mask)
    if keep_mask is None:
        return mask
    keep = kept(keep_mask)
    if mask is None:
        return ~keep
    # the largest value of what each pixel covers: no pixel to be kept is lost
    keep = F.adaptive_max_pool2d(keep.float(), tuple(mask.shape[-2:])) > 0
    count = max(len(mask), len(keep))
    return to_batch(mask, count, "guidance_mask") & ~to_batch(keep, count, "keep_mask")


def mask_cells(mask: torch.Tensor, cells: tuple[int, int]) -> torch.Tensor:
    """Return the latent cells that a mask touches.

    Args:
        mask: `(B, 1, H, W)` bool, of any size; a mask of the picture's own size is cropped as VAE Encode crops it.
        cells: `(h, w)` of the latents.

    Returns:
        `(B, 1, h, w)` bool.
    """
    height, width = mask.shape[-2:]
    rows, columns = encoded_part((height, width), cells) or (slice(None), slice(None))
    mask = mask[..., rows, columns]
    height, width = mask.shape[-2:]
    return Canvas((height, width), cells, Padding(), 1).cells_of(mask)
