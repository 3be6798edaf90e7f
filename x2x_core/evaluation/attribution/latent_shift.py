"""Explanation by a latent shift: an autoencoder's latents moved against the classifier's gradient.

Cohen et al., *Gifsplanation via latent shift* (MIDL 2021): the picture changes within what the autoencoder can draw.
The map is the largest change of a pixel along the way. Here the autoencoder is the checkpoint's VAE.
"""

from __future__ import annotations

from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.imaging.geometry import crop, fit_to, resize

from .target import Target

POINTS = 8  # along the way
FALL = 0.6  # of the probability at which the way ends
MOST_CHANGE = 0.05  # mean absolute change of the picture at which it ends as well
_DOUBLINGS = 14
_FIRST = 0.05  # length of the first step, in standard deviations of a latent


def latent_shift(target: Target, image: torch.Tensor, vae: Any, resolution: int) -> torch.Tensor:
    """Return the largest change of each pixel as the latents move against the gradient of the log-odds.

    Args:
        target: what is explained.
        image: `(1, 1, H, W)` in [0, 1].
        vae: an `AutoencoderKL` of 3 channels in [-1, 1].
        resolution: side of the square that it works on, in pixels.

    Returns:
        `(1, 1, H, W)` float32, at least 0.

    Raises:
        InputError: the classifier has no derivatives.
    """
    if resolution < 1:
        raise InputError(f"`resolution` must be at least 1, got {resolution}.")
    square, padding = fit_to(image.detach().float(), resolution)

    def decoded(latents: torch.Tensor) -> torch.Tensor:
        pixels = vae.decode(latents.to(vae.dtype)).sample.float().mean(1, keepdim=True)
        return crop(((pixels + 1) / 2).clamp(0, 1), padding).cpu()

    with torch.no_grad():
        pixels = (2 * square - 1).expand(-1, 3, -1, -1).to(vae.device, vae.dtype)
        latents = vae.encode(pixels).latent_dist.mean.detach()
    with torch.enable_grad():
        moved = latents.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(target.log_odds(decoded(moved)).sum(), moved)
    direction = -gradient / gradient.norm().clamp_min(1e-12) * latents.numel() ** 0.5 * latents.std()
    with torch.no_grad():
        start = decoded(latents)
        end = _way(target, decoded, latents, direction, start)
        shares = torch.linspace(0, 1, POINTS + 1)[1:] * end
        changes = torch.stack([(decoded(latents + float(share) * direction) - start).abs() for share in shares])
    return resize(changes.amax(0), (image.shape[-2], image.shape[-1])).clamp_min(0)


def _way(target: Target, decoded: Any, latents: torch.Tensor, direction: torch.Tensor, start: torch.Tensor) -> float:
    """Return the length of the way: until the probability has fallen, or the picture changes too much."""
    at_first, length = float(target.probability(start)), _FIRST
    for _ in range(_DOUBLINGS):
        picture = decoded(latents + length * direction)
        fallen = at_first - float(target.probability(picture)) >= min(FALL, 0.9 * at_first)
        if fallen or float((picture - start).abs().mean()) > MOST_CHANGE:
            break
        length *= 2
    return length
