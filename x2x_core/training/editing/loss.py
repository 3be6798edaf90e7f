"""Diffusion loss of the editing model.

Brooks, Holynski, Efros, *InstructPix2Pix: Learning to Follow Image Editing Instructions* (CVPR 2023): the encoded input
image is concatenated to the noisy latents, and text and image are dropped at random so that both can be guided.

In InstructPix2Pix the target of an image without text is that of its pair, whatever the instruction was. With
`no_text: unchanged` the target is the image itself. The text branch and the image branch then differ only by the
change that the instruction describes, which is what the relevance map measures and the text guidance scale amplifies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import nn

from .loss_weights import balance


@dataclass(frozen=True)
class LossSettings:
    """Settings of the loss, see `x2x_core.training.config.TrainingConfig`."""

    train_text_encoder: bool
    change_weight: float = 0.0
    change_balance: float = 0.0
    no_text: str = "any"
    scaling_factor: float = 1.0  # of the autoencoder's latents


@dataclass(frozen=True)
class Noise:
    """Random numbers of one batch."""

    noise: torch.Tensor  # (B, 4, h, w), standard normal
    timesteps: torch.Tensor  # (B,)
    dropout_draws: torch.Tensor  # (B,), uniform in [0, 1); they decide which conditions are dropped


class EditLoss(nn.Module):
    """Diffusion loss of a U-Net and its text encoder, which is trained or frozen.

    Args:
        unet: with 8 input channels.
        text_encoder: its gradients are turned on or off.
        scheduler: the noise schedule.
        settings: see `LossSettings`.
    """

    def __init__(self, unet: Any, text_encoder: Any, scheduler: DDIMScheduler, settings: LossSettings) -> None:
        super().__init__()
        self.unet, self.text_encoder, self.scheduler, self.settings = unet, text_encoder, scheduler, settings
        self.text_encoder.requires_grad_(settings.train_text_encoder)

    def forward(
        self,
        latents: torch.Tensor,
        image_latents: torch.Tensor,
        weight: torch.Tensor,
        ids: torch.Tensor,
        null_ids: torch.Tensor,
        random: Noise,
        dropout: float,
    ) -> dict[str, torch.Tensor]:
        """Return the losses of one batch.

        Args:
            latents: `(B, 4, h, w)` of the target image, scaled.
            image_latents: `(B, 4, h, w)` of the image to edit, unscaled.
            weight: `(B, 1, h, w)` in [0, 1], how much the two differ.
            ids: `(B, L)` tokens of the instructions.
            null_ids: `(1, L)` tokens of the empty instruction.
            random: random numbers of the batch.
            dropout: probability d of dropping the text, the image, and both, each. A draw below 2 d drops the text, a
                draw in [d, 3 d) the image.

        Returns:
            `loss`; `change`, the error where the images differ; `error`, the mean error.
        """
        settings, draws = self.settings, random.dropout_draws
        text_dropped, image_dropped = draws < 2 * dropout, (draws >= dropout) & (draws < 3 * dropout)
        states = self.text_encoder(torch.where(text_dropped[:, None], null_ids, ids))[0]
        if settings.no_text == "unchanged":
            unchanged = (text_dropped & ~image_dropped)[:, None, None, None]
            latents = torch.where(unchanged, image_latents * settings.scaling_factor, latents)
        image_latents = image_latents * (~image_dropped).to(image_latents.dtype)[:, None, None, None]
        noisy = self.scheduler.add_noise(latents, random.noise, random.timesteps)
        output = self.unet(torch.cat([noisy, image_latents], dim=1), random.timesteps, states).sample
        error = (output.float() - self._target(latents, random).float()).square()
        change = (error * weight).sum() / (weight.sum() * error.shape[1]).clamp_min(1e-6)
        emphasis = 1 + settings.change_weight * balance(weight, settings.change_balance)
        return {"loss": (error * emphasis).mean(), "change": change, "error": error.mean()}

    def _target(self, latents: torch.Tensor, random: Noise) -> torch.Tensor:
        if self.scheduler.config.prediction_type == "v_prediction":
            return self.scheduler.get_velocity(latents, random.noise, random.timesteps)
        return random.noise
