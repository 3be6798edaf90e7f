"""Common parts of backbones on Stable Diffusion: the autoencoder, the U-Net's sizes, and the noise schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..solvers import make_solver
from .diffusion import DiffusionSchedule
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


@dataclass(frozen=True)
class StableDiffusionBackbone:
    """The part of an `EditBackbone` that does not depend on what the U-Net is given."""

    pipe: Any

    @property
    def geometry(self) -> Geometry:
        """The sizes of its U-Net and autoencoder."""
        return unet_geometry(self.pipe)

    def schedule(self, published: bool = False, solver: str | None = None) -> DiffusionSchedule:
        """Return the pipeline's schedule."""
        scheduler = self.pipe.scheduler
        return DiffusionSchedule(scheduler if solver is None else make_solver(solver, scheduler))

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the unscaled mode of the posterior, `(V, C, h, w)`."""
        return posterior_mode(self.pipe, pixels)

    def decode(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Decode unscaled latents."""
        return decoded(self.pipe, image_latents)

    def to_latents(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Multiply by the VAE's scaling factor."""
        return image_latents * self.pipe.vae.config.scaling_factor

    def to_image_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Divide by the VAE's scaling factor."""
        return latents / self.pipe.vae.config.scaling_factor
