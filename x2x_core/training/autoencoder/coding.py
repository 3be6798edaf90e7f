"""Encoding and decoding of grey images, and normalisation of the latents."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL


def as_vae_input(grey: torch.Tensor) -> torch.Tensor:
    """Convert grey images `(B, 1, H, W)` in [0, 1] to the autoencoder's input `(B, 3, H, W)` in [-1, 1]."""
    return (2 * grey - 1).expand(-1, 3, -1, -1)


@torch.no_grad()
def encode(vae: AutoencoderKL, grey: torch.Tensor) -> torch.Tensor:
    """Return unscaled latents (the posterior's mode) `(B, 4, h, w)` of grey images `(B, 1, H, W)` in [0, 1]."""
    return vae.encode(as_vae_input(grey)).latent_dist.mode()


@torch.no_grad()
def reconstruct(vae: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Encode and decode grey images `(B, 1, H, W)` in [0, 1]; same shape and range."""
    decoded = vae.decode(encode(vae, images)).sample.mean(1, keepdim=True)
    return (decoded / 2 + 0.5).clamp(0, 1)


@torch.no_grad()
def normalise_latents(vae: AutoencoderKL, images: torch.Tensor) -> AutoencoderKL:
    """Fold a shift and a scale of each latent channel into the autoencoder.

    Afterwards the posterior's mode has mean 0 and standard deviation 1 over `images`, reconstructions are unchanged,
    and the scaling factor is 1. Noisy latents and image latents, which InstructPix2Pix does not scale, then have the
    same magnitude.

    Args:
        vae: changed in place; needs its 1x1 convolutions before and after the latents.
        images: `(B, 1, H, W)` in [0, 1].
    """
    latents = torch.cat([encode(vae, part) for part in images.split(8)])
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    channels = len(mean)
    after = vae.post_quant_conv
    after.bias += (after.weight[:, :, 0, 0] * mean).sum(1)
    after.weight *= std.view(1, -1, 1, 1)
    before = vae.quant_conv
    before.bias[:channels] -= mean
    before.bias[:channels] /= std
    before.bias[channels:] -= 2 * std.log()
    before.weight[:channels] /= std.view(-1, 1, 1, 1)
    vae.register_to_config(scaling_factor=1.0)
    return vae
