"""Training task of the editing model."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from x2x_core.guidance.place_hint import add_place_hint
from x2x_core.pairs.augmentation import reverse
from x2x_core.pairs.mimic_edit import MimicEditInstruction

from ..autoencoder.coding import encode
from ..config import TrainingConfig
from ..image_size import check_image_size
from ..small_models import latent_factor
from ..task import Batch, Losses
from .export import make_pipeline, pipeline_settings, save_pipeline
from .hinted_regions import draw_regions
from .latent_cache import CacheSettings, LatentCache
from .loss import EditLoss, LossSettings, Noise
from .loss_weights import change_weight
from .parts import make_parts
from .samples import sample_grid


class EditTask:
    """Training task of the editing model.

    Args:
        config: the run.

    Raises:
        InputError: the data or the initial weights cannot be used, or do not allow what is configured.
        MissingExtraError: a library for adapters or attention is missing.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.pairs = MimicEditInstruction(config.datasets, "train", config.size, config.augment, config.seed)
        self.length = len(self.pairs)
        self.validation = (
            MimicEditInstruction(config.datasets, "val", config.size, None) if config.validate_every else None
        )
        self.validation_length = min(len(self.validation), config.validation_pairs) if self.validation else 0
        self.parts = make_parts(config)
        check_image_size("size", config.size, latent_factor(self.parts.vae))
        settings = LossSettings(
            config.train_text_encoder,
            config.change_weight,
            config.change_balance,
            config.no_text,
            self.parts.vae.config.scaling_factor,
        )
        self.module = EditLoss(self.parts.unet, self.parts.text_encoder, self.parts.scheduler, settings)
        self.null_ids = self.parts.tokenize([""])
        self.cache: LatentCache | None = None

    def prepare(self, accelerator: Accelerator) -> None:
        """Move the frozen autoencoder to the device, and encode the data if latents are cached."""
        config, vae = self.config, self.parts.vae
        vae.to(accelerator.device, memory_format=torch.channels_last)  # encodes in two thirds of the time on a CPU
        if not config.latent_variants:
            return
        latent_size = config.size // latent_factor(vae)
        settings = CacheSettings(
            self.pairs.rows, config.latent_variants, config.augment, config.size, latent_size, config.seed
        )
        with accelerator.main_process_first(), accelerator.autocast():
            self.cache = LatentCache(Path(config.out) / "latents", settings)
            self.cache.build(vae)

    def make(self, index: int, generator: torch.Generator) -> Batch:
        """Return one sample: the encoded pair, or its images if latents are not cached; and its tokens."""
        if self.cache is not None:
            variant = int(torch.randint(self.config.latent_variants, (), generator=generator))
            latents, weight, text = self.cache[index, variant]
            latents, text = reverse(latents, text, self.config.augment.reverse, generator)
            return {"latents": latents, "weight": weight, "ids": self.parts.tokenize([text])[0]}
        pair, text = self.pairs.draw(index, generator)
        return {"pair": pair, "ids": self.parts.tokenize([text])[0]}

    def loss(self, module: nn.Module, batch: Batch, generator: torch.Generator, dropout: float | None = None) -> Losses:
        """Return the losses of a batch.

        Args:
            module: the `EditLoss`, possibly wrapped for several processes.
            batch: samples of `make`.
            generator: draws noise, timesteps and dropped conditions.
            dropout: probability of dropping text, image, and both, each; ``None``: that of the configuration.
        """
        latents, weight = (batch["latents"], batch["weight"]) if "latents" in batch else self._encode(batch["pair"])
        image_latents, target = latents[:, 0], latents[:, 1] * self.parts.vae.config.scaling_factor
        random = self._random(target, generator)
        if self.config.place_hint:
            cells = draw_regions(weight, self.config.hint_dropout, generator)
            random = replace(random, noise=add_place_hint(random.noise, cells, self.config.place_hint))
        null_ids = self.null_ids.to(target.device)
        dropout = self.config.conditioning_dropout if dropout is None else dropout
        return module(target, image_latents, weight, batch["ids"], null_ids, random, dropout)

    def _random(self, target: torch.Tensor, generator: torch.Generator) -> Noise:
        """Draw the random numbers of a batch on the CPU, so that they are the same on every device."""
        count, device = len(target), target.device
        noise = torch.randn(target.shape, generator=generator).to(device)
        timesteps = self._timesteps(count, generator).to(device)
        return Noise(noise, timesteps, torch.rand(count, generator=generator).to(device))

    def _timesteps(self, count: int, generator: torch.Generator) -> torch.Tensor:
        last = self.parts.scheduler.config.num_train_timesteps
        if levels := self.config.noise_levels:
            timesteps = torch.tensor([max(round(level * last) - 1, 0) for level in levels])
            return timesteps[torch.randint(len(levels), (count,), generator=generator)]
        noisiness = 1 - torch.rand(count, generator=generator) ** self.config.timestep_bias
        return (noisiness * last).long().clamp(max=last - 1)

    def _encode(self, pair: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return latents `(B, 2, 4, h, w)` and change weights `(B, 1, h, w)` of pairs `(B, 2, H, W)`."""
        vae = self.parts.vae
        latents = encode(vae, pair.flatten(0, 1)[:, None].to(vae.dtype)).unflatten(0, (len(pair), 2))
        height, width = latents.shape[-2:]
        return latents, torch.stack([change_weight(images, (height, width)) for images in pair])

    def validation_sample(self, index: int) -> Batch:
        """Return one pair of the split "val" without augmentation, and its tokens."""
        if self.validation is None:
            raise IndexError(index)
        item = self.validation[index]
        return {"pair": item["pair"], "ids": self.parts.tokenize([item["instruction"]])[0]}

    def validation_loss(self, module: nn.Module, batch: Batch, generator: torch.Generator) -> Losses:
        """Return the losses of a batch with no condition dropped."""
        return self.loss(module, batch, generator, dropout=0.0)

    @cached_property
    def _pipeline_settings(self) -> dict[str, Any]:
        return pipeline_settings(self.config, self.pairs.rows)

    def sample(self, module: EditLoss, device: torch.device) -> torch.Tensor:
        """Return edited validation pairs, see `sample_grid`."""
        return sample_grid(make_pipeline(self.parts, module, self._pipeline_settings), self.config, device)

    def save(self, module: EditLoss, folder: Path) -> None:
        """Write the pipeline in float16 and its model card."""
        pipeline = make_pipeline(self.parts, module, self._pipeline_settings)
        save_pipeline(pipeline, self.config, folder, pairs=self.length)
        module.float()
