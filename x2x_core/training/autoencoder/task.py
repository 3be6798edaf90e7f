"""Training task of the autoencoder: random crops of radiographs are reconstructed."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import nn

from x2x_core.common.checkpoint_layout import LATENT_CHANNELS
from x2x_core.common.randomness import uniform
from x2x_core.pairs.augmentation import augment
from x2x_core.pairs.layout import read_pair, read_pooled_rows

from ..config import TrainingConfig
from ..image_size import check_image_size
from ..init_weights import load_vae
from ..seeding import seeded_initialisation
from ..small_models import latent_factor, make_autoencoder
from ..task import Batch, Losses, WithoutValidation
from .coding import normalise_latents, reconstruct
from .loss import AutoencoderLoss

_SAMPLES = 6  # pictures in a sample grid
_NORMALISED_ON = 64  # images that the latents' mean and standard deviation are measured on


class AutoencoderTask(WithoutValidation):
    """Training task of the autoencoder.

    Args:
        config: the run.

    Raises:
        InputError: the data or the initial weights cannot be used, or do not fit `size` or `crop`.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.rows = read_pooled_rows(config.datasets, "train")
        vae = self._initial_vae()
        self.module = AutoencoderLoss(vae, config.gradient_weight, config.kl_weight)
        self.factor = latent_factor(vae)
        check_image_size("size", config.size, self.factor)
        check_image_size("crop", config.crop, self.factor)
        self.length = len(self.rows)

    def _initial_vae(self) -> AutoencoderKL:
        config = self.config
        with seeded_initialisation(config.seed):
            if config.init:
                return load_vae("init", config.init)
            return make_autoencoder(size=config.size, **config.models.vae.model_dump(exclude_none=True))

    def make(self, index: int, generator: torch.Generator) -> Batch:
        """Return one augmented crop: `pixels` `(1, h, w)` in [0, 1]."""
        config = self.config
        pair, _ = augment(read_pair(self.rows[index], config.size), "", config.augment, generator)
        image = pair[int(torch.randint(2, (), generator=generator))][None]
        crop = config.crop or config.size
        top, left = (int(uniform(0, config.size - crop + 1, generator)) for _ in range(2))
        return {"pixels": image[:, top : top + crop, left : left + crop].contiguous()}

    def loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Losses:
        """Return the losses of a batch; `generator` samples the posterior."""
        pixels = batch["pixels"]
        height, width = (side // self.factor for side in pixels.shape[-2:])
        noise = torch.randn((len(pixels), LATENT_CHANNELS, height, width), generator=generator)
        return module(pixels, noise.to(pixels.device))

    def sample(self, module: AutoencoderLoss, device: torch.device) -> torch.Tensor:
        """Return originals above their reconstructions, `(1, H, W)` in [0, 1]."""
        rows = read_pooled_rows(self.config.datasets, "val")[:_SAMPLES]
        images = torch.stack([read_pair(row, self.config.size)[1:] for row in rows]).to(device)
        decoded = reconstruct(module.vae, images)
        return torch.cat([torch.cat(list(images), -1), torch.cat(list(decoded), -1)], -2).cpu()

    def save(self, module: AutoencoderLoss, folder: Path) -> None:
        """Write `vae/`, with latents normalised to mean 0 and standard deviation 1 in every channel."""
        vae = normalise_latents(module.vae, self._some_images())
        vae.save_pretrained(folder / "vae")

    def _some_images(self) -> torch.Tensor:
        stride = max(1, len(self.rows) // _NORMALISED_ON)
        rows = self.rows[::stride][:_NORMALISED_ON]
        return torch.stack([read_pair(row, self.config.size)[1:] for row in rows])
