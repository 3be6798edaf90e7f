"""Guidance: where and how a model is led while it edits.

The guidance map G = P * R holds the pseudomask (where a finding can be) against the relevance map (where the model
would change the image); the guidance mask M = (G >= tau) is where it may.

InstructPix2Pix's guidance batch is [text, image, unconditional] throughout: with instruction and image, with the
image alone, with neither.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError

BRANCHES = 3  # text, image, unconditional


def guided_noise(
    noise_pred: torch.Tensor, guidance_scale: float | torch.Tensor, image_guidance_scale: float
) -> torch.Tensor:
    """Classifier-free guidance with two scales (Brooks et al., *InstructPix2Pix*, 2023).

    Args:
        noise_pred: `(3B, C, h, w)`, the branches [text, image, unconditional] one after the other.
        guidance_scale: how strongly the instruction is followed, one number or `(B, 1, 1, 1)` of any type and device.
        image_guidance_scale: how strongly the image is.

    Returns:
        `(B, C, h, w)`.
    """
    noise_pred_text, noise_pred_image, noise_pred_uncond = noise_pred.chunk(BRANCHES)
    if isinstance(guidance_scale, torch.Tensor):
        guidance_scale = guidance_scale.to(noise_pred)
    return (
        noise_pred_uncond
        + guidance_scale * (noise_pred_text - noise_pred_image)
        + image_guidance_scale * (noise_pred_image - noise_pred_uncond)
    )


def guidance_map(relevance_map: torch.Tensor, pseudomask: torch.Tensor) -> torch.Tensor:
    """G = P * R.

    Args:
        relevance_map: R `(B, 1, H, W)` in [0, 1].
        pseudomask: P `(B, 1, H, W)` in [0, 1].

    Raises:
        InputError: they are not of one size.
    """
    if relevance_map.shape[-2:] != pseudomask.shape[-2:]:
        raise InputError(
            f"`relevance_map` and `pseudomask` must be of one size, got {tuple(relevance_map.shape)} and "
            f"{tuple(pseudomask.shape)}."
        )
    return pseudomask * relevance_map


def guidance_mask(
    guidance: torch.Tensor,
    mask_threshold: float,
    pseudomask: torch.Tensor | None = None,
) -> torch.Tensor:
    """M = (G >= tau), and nowhere outside the pseudomask.

    Args:
        guidance: G `(B, 1, H, W)` in [0, 1].
        mask_threshold: tau, [0, 1]. 0 takes the whole of the pseudomask.
        pseudomask: P `(B, 1, H, W)`; ``None`` is the published rule, by which 0 takes the whole image.

    Returns:
        `(B, 1, H, W)` bool.
    """
    mask = guidance >= mask_threshold
    return mask if pseudomask is None else mask & (pseudomask > 0)


def blend(latents: torch.Tensor, background: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`latents` where the mask is, `background` elsewhere, bit for bit.

    Args:
        latents: `(B, C, h, w)`.
        background: `(B, C, h, w)`.
        mask: `(B, 1, h, w)` bool.
    """
    return torch.where(mask, latents, background)


def noised_background(
    scheduler: Any,
    clean: torch.Tensor,
    noise: torch.Tensor,
    timesteps: torch.Tensor,
    index: int,
) -> torch.Tensor:
    """The original at the noise that the latents have before step `index`; clean after the last step.

    Args:
        scheduler: a diffusers scheduler whose last step was `index` - 1.
        clean: the original's latents `(B, C, h, w)`, scaled.
        noise: the noise that the edit started from, of the same shape, standard normal.
        timesteps: the scheduler's.
        index: of a step; the number of timesteps stands for "after the last".
    """
    if index >= len(timesteps):
        return clean
    return scheduler.add_noise(clean, noise, timesteps[index : index + 1])


def to_published_latents(pseudomask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A pseudomask `(B, 1, H, W)` at the size of the latents by the published rule: bilinear, not antialiased."""
    return F.interpolate(pseudomask, size, mode="bilinear", align_corners=False)
