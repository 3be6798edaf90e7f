"""Reconstruction loss of the autoencoder."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from torch import nn

from .coding import as_vae_input


class AutoencoderLoss(nn.Module):
    """Absolute and squared error, error of the image gradients, and a weak KL term.

    Absolute and squared error alone blur; the error of the finite differences preserves ribs and vessels.

    Args:
        vae: the autoencoder that is trained.
        gradient_weight: weight of the gradient error.
        kl_weight: weight of the KL term.
    """

    def __init__(self, vae: AutoencoderKL, gradient_weight: float, kl_weight: float) -> None:
        super().__init__()
        self.vae, self.gradient_weight, self.kl_weight = vae, gradient_weight, kl_weight

    def forward(self, pixels: torch.Tensor, noise: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return `loss` and its terms for a batch.

        Args:
            pixels: `(B, 1, H, W)` in [0, 1].
            noise: `(B, 4, h, w)`, standard normal; samples the posterior.
        """
        image = as_vae_input(pixels)
        posterior = self.vae.encode(image).latent_dist
        output = self.vae.decode(posterior.mean + posterior.std * noise).sample
        error = output - image
        losses = {
            "absolute": error.abs().mean(),
            "squared": error.square().mean(),
            "gradient": error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean(),
            "kl": posterior.kl().mean() / pixels[0].numel(),
        }
        loss = losses["absolute"] + 4 * losses["squared"]
        loss = loss + self.gradient_weight * losses["gradient"] + self.kl_weight * losses["kl"]
        return {"loss": loss, **losses}
