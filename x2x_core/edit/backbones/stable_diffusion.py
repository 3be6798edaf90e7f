"""Parts of Stable Diffusion that several backbones share: the autoencoder and the U-Net's sizes."""

from __future__ import annotations

from typing import Any

import torch

from .protocol import Geometry

# Side of the U-Net's canvas in latent cells, if its config does not say.
USUAL_CELLS = 64


def unet_geometry(pipe: Any) -> Geometry:
    """Return the sizes of a pipeline with a U-Net and a Stable Diffusion autoencoder."""
    cells = pipe.unet.config.sample_size or USUAL_CELLS
    side = cells if isinstance(cells, int) else max(cells)
    cell = pipe.vae_scale_factor
    return Geometry(pipe.vae.config.latent_channels, pipe.vae.config.in_channels, cell, cell * side, cell)


def posterior_mode(pipe: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Encode pictures `(V, C, H, W)` in [0, 1] to the unscaled mode of the posterior."""
    if pipe.image_processor.config.do_normalize:
        pixels = pipe.image_processor.normalize(pixels)
    return pipe.vae.encode(pixels.to(pipe._execution_device, pipe.vae.dtype)).latent_dist.mode()


def decoded(pipe: Any, image_latents: torch.Tensor) -> torch.Tensor:
    """Decode unscaled latents to pictures `(B, C, H, W)`, about [-1, 1], in the autoencoder's own precision."""
    return pipe.vae.decode(image_latents.to(pipe.vae.dtype), return_dict=False)[0]
