"""The background of a restricted edit: the noised original, blended in outside the mask after every step."""

from __future__ import annotations

from typing import Any

import torch


def blend(latents: torch.Tensor, background: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return `latents` inside the mask and `background` outside, bit for bit.

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
    """Return the original at the noise level of the latents before step `index`; clean after the last step.

    Args:
        scheduler: a diffusers scheduler whose last step was `index` - 1.
        clean: the original's latents `(B, C, h, w)`, scaled.
        noise: the noise that the edit started from, of the same shape, standard normal.
        timesteps: the scheduler's.
        index: of a step; the number of timesteps means "after the last step".
    """
    if index >= len(timesteps):
        return clean
    return scheduler.add_noise(clean, noise, timesteps[index : index + 1])
