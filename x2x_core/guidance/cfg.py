"""Classifier-free guidance: of two branches, and of three with two scales (Brooks et al., *InstructPix2Pix*, 2023)."""

from __future__ import annotations

import torch

# The branches of a guidance batch: text (instruction and image), image (image alone), unconditional (neither).
BRANCHES = 3


def guided_by_two(
    noise_pred_text: torch.Tensor, noise_pred_image: torch.Tensor, guidance_scale: float | torch.Tensor
) -> torch.Tensor:
    """Combine the predictions of two branches.

    Args:
        noise_pred_text: `(B, C, h, w)`, predicted with the instruction.
        noise_pred_image: of the same shape, predicted without it.
        guidance_scale: one number or `(B, 1, 1, 1)` of any type and device.

    Returns:
        `(B, C, h, w)`.
    """
    if isinstance(guidance_scale, torch.Tensor):
        guidance_scale = guidance_scale.to(noise_pred_text)
    return noise_pred_image + guidance_scale * (noise_pred_text - noise_pred_image)


def guided_noise(
    noise_pred_text: torch.Tensor,
    noise_pred_image: torch.Tensor,
    noise_pred_uncond: torch.Tensor,
    guidance_scale: float | torch.Tensor,
    image_guidance_scale: float,
) -> torch.Tensor:
    """Combine the predictions of the three branches.

    Args:
        noise_pred_text: `(B, C, h, w)`, predicted from instruction and image.
        noise_pred_image: of the same shape, predicted from the image alone.
        noise_pred_uncond: of the same shape, predicted from neither.
        guidance_scale: s_T, one number or `(B, 1, 1, 1)` of any type and device.
        image_guidance_scale: s_I.

    Returns:
        `(B, C, h, w)`.
    """
    if isinstance(guidance_scale, torch.Tensor):
        guidance_scale = guidance_scale.to(noise_pred_text)
    return (
        noise_pred_uncond
        + guidance_scale * (noise_pred_text - noise_pred_image)
        + image_guidance_scale * (noise_pred_image - noise_pred_uncond)
    )
