"""Training of the autoencoder: crops of radiographs in, the same crops out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import nn

from x2x_core.common.randomness import uniform
from x2x_core.pairs.augmentation import augment
from x2x_core.pairs.layout import read_pair, read_rows

from .config import TrainingConfig
from .models import latent_factor, make_autoencoder, seeded


class AutoencoderModule(nn.Module):
    """The loss of an autoencoder: absolute and squared error, error of the gradients, and a weak KL term.

    Absolute and squared error alone blur; the error of the image's finite differences holds ribs and vessels.
    """

    def __init__(self, vae: AutoencoderKL, gradient_weight: float, kl_weight: float) -> None:
        super().__init__()
        self.vae, self.gradient_weight, self.kl_weight = vae, gradient_weight, kl_weight

    def forward(self, pixels: torch.Tensor, noise: torch.Tensor) -> dict[str, torch.Tensor]:
        """`pixels` `(B, 1, H, W)` in [0, 1], `noise` standard normal of the latents' shape; gives `loss` and parts."""
        image = _as_input(pixels)
        posterior = self.vae.encode(image).latent_dist
        output = self.vae.decode(posterior.mean + posterior.std * noise).sample
        error = output - image
        losses = {
            "absolute": error.abs().mean(),
            "squared": error.square().mean(),
            "gradient": sum(error.diff(dim=d).abs().mean() for d in (-1, -2)),
            "kl": posterior.kl().mean() / pixels[0].numel(),
        }
        loss = losses["absolute"] + 4 * losses["squared"]
        loss = loss + self.gradient_weight * losses["gradient"] + self.kl_weight * losses["kl"]
        return {"loss": loss, **losses}


class AutoencoderTask:
    """What the trainer needs to know to train the autoencoder."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.rows = read_rows(config.data, "train")
        with seeded(config.seed):
            vae = AutoencoderKL.from_pretrained(config.init, subfolder="vae") if config.init else make_autoencoder(
                size=config.size, **config.models.get("vae", {})
            )  # fmt: skip
        self.module = AutoencoderModule(vae, config.gradient_weight, config.kl_weight)
        self.factor = latent_factor(vae)
        self.length = len(self.rows)

    def prepare(self, device: torch.device, accelerator) -> None:
        """Nothing is computed beforehand."""

    def make(self, index: int, generator: torch.Generator) -> dict[str, Any]:
        """One augmented crop: `pixels` `(1, h, w)` in [0, 1]."""
        config = self.config
        pair, _ = augment(read_pair(self.rows[index], config.size), "", config.augment, generator)
        image = pair[int(torch.randint(2, (), generator=generator))][None]
        crop = config.crop or config.size
        top, left = (int(uniform(0, config.size - crop + 1, generator)) for _ in range(2))
        return {"pixels": image[:, top : top + crop, left : left + crop].contiguous()}

    def loss(self, module: nn.Module, batch: dict, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Losses of one batch; `generator` draws the latents' noise."""
        pixels = batch["pixels"]
        shape = (len(pixels), 4, pixels.shape[-2] // self.factor, pixels.shape[-1] // self.factor)
        return module(pixels, torch.randn(shape, generator=generator).to(pixels.device))

    def sample(self, module: AutoencoderModule, device: torch.device) -> torch.Tensor:
        """Originals above their reconstructions, `(1, H, W)` in [0, 1]."""
        rows = read_rows(self.config.data, "val")[:6]
        images = torch.stack([read_pair(row, self.config.size)[1:] for row in rows]).to(device)
        decoded = reconstruct(module.vae, images)
        return torch.cat([torch.cat(list(images), -1), torch.cat(list(decoded), -1)], -2).cpu()

    def save(self, module: AutoencoderModule, folder: Path) -> None:
        """Write `vae/`, its latents brought to mean 0 and spread 1 in every channel."""
        vae = normalise_latents(module.vae, self._some_images())
        vae.save_pretrained(folder / "vae")

    def _some_images(self) -> torch.Tensor:
        step = max(1, len(self.rows) // 64)
        return torch.stack([read_pair(row, self.config.size)[1:] for row in self.rows[::step][:64]])


def _as_input(grey: torch.Tensor) -> torch.Tensor:
    """Grey images `(B, 1, H, W)` in [0, 1] as the autoencoder takes them: three channels in [-1, 1]."""
    return (2 * grey - 1).expand(-1, 3, -1, -1)


@torch.no_grad()
def encode(vae: AutoencoderKL, grey: torch.Tensor) -> torch.Tensor:
    """Unscaled latents (the posterior's mode) `(B, 4, h, w)` of grey images `(B, 1, H, W)` in [0, 1]."""
    return vae.encode(_as_input(grey)).latent_dist.mode()


@torch.no_grad()
def normalise_latents(vae: AutoencoderKL, images: torch.Tensor) -> AutoencoderKL:
    """Fold a shift and a scale of each latent channel into the autoencoder.

    Afterwards the posterior's mode has mean 0 and spread 1 over `images`, reconstructions are the same, and the
    scaling factor is 1: noisy latents and image latents, which InstructPix2Pix leaves unscaled, are of one size.

    Args:
        vae: changed in place; must have its 1x1 convolutions before and after the latents.
        images: `(B, 1, H, W)` in [0, 1].
    """
    latents = torch.cat([encode(vae, part) for part in images.split(8)])
    mean, spread = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    channels = len(mean)
    after = vae.post_quant_conv
    after.bias += (after.weight[:, :, 0, 0] * mean).sum(1)
    after.weight *= spread.view(1, -1, 1, 1)
    before = vae.quant_conv
    before.bias[:channels] -= mean
    before.bias[:channels] /= spread
    before.bias[channels:] -= 2 * spread.log()
    before.weight[:channels] /= spread.view(-1, 1, 1, 1)
    vae.register_to_config(scaling_factor=1.0)
    return vae


@torch.no_grad()
def reconstruct(vae: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """What the autoencoder makes of grey images `(B, 1, H, W)` in [0, 1]; the same shape and range."""
    decoded = vae.decode(encode(vae, images)).sample.mean(1, keepdim=True)
    return (decoded / 2 + 0.5).clamp(0, 1)
