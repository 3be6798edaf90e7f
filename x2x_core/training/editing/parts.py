"""Models of a run of the editing task: loaded from a checkpoint, or small ones made from scratch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from x2x_core.common.errors import InputError
from x2x_core.edit.published import stable_diffusion_ddim

from ..config import TrainingConfig
from ..init_weights import load_vae, resolve_init
from ..seeding import seeded_initialisation
from ..small_models import latent_factor, make_text_encoder, make_unet
from ..small_tokenizer import make_tokenizer, vocabulary_texts
from .noise_schedule import rescale_to_zero_snr
from .unet import prepare_unet


@dataclass(frozen=True)
class EditParts:
    """Models of the editing task."""

    vae: AutoencoderKL
    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    unet: UNet2DConditionModel
    scheduler: DDIMScheduler

    def tokenize(self, texts: list[str]) -> torch.Tensor:
        """Return the tokens `(B, L)` of instructions, padded and truncated to the prompt length."""
        length = self.tokenizer.model_max_length
        encoded = self.tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        return encoded.input_ids


def make_parts(config: TrainingConfig) -> EditParts:
    """Load or make the models of a run, ready for training.

    Raises:
        InputError: the initial weights cannot be used, or do not allow what is configured.
        MissingExtraError: a library for adapters or attention is missing.
    """
    parts = _load(config) if config.init else _make(config)
    if config.zero_snr:
        parts = replace(parts, scheduler=rescale_to_zero_snr(parts.scheduler))
    parts.vae.requires_grad_(False).eval()
    prepare_unet(parts.unet, config)
    return parts


def _load(config: TrainingConfig) -> EditParts:
    """Load the parts of an InstructPix2Pix checkpoint."""
    init = resolve_init(config)
    return EditParts(
        vae=AutoencoderKL.from_pretrained(init, subfolder="vae", torch_dtype=torch.float32),
        tokenizer=CLIPTokenizer.from_pretrained(init, subfolder="tokenizer"),
        text_encoder=CLIPTextModel.from_pretrained(init, subfolder="text_encoder", dtype=torch.float32),
        unet=UNet2DConditionModel.from_pretrained(init, subfolder="unet", torch_dtype=torch.float32),
        scheduler=DDIMScheduler.from_pretrained(init, subfolder="scheduler"),
    )


def _make(config: TrainingConfig) -> EditParts:
    """Make the small models around a trained autoencoder."""
    vae = load_vae("autoencoder", config.autoencoder)
    sizes = config.models
    tokenizer = _run_tokenizer(config)
    with seeded_initialisation(config.seed):
        try:
            text_encoder = make_text_encoder(tokenizer, **sizes.text_encoder.model_dump(exclude_none=True))
        except ValueError as error:
            raise InputError(f"`models.text_encoder` cannot be made: {error}") from error
        unet = make_unet(
            latent_size=config.size // latent_factor(vae),
            text_width=text_encoder.config.hidden_size,
            **sizes.unet.model_dump(exclude_none=True),
        )
    return EditParts(vae, tokenizer, text_encoder, unet, stable_diffusion_ddim(config.prediction_type))


def _run_tokenizer(config: TrainingConfig) -> CLIPTokenizer:
    """Return the run's tokenizer, which is kept in the run folder: a resumed run has the vocabulary it began with."""
    folder = Path(config.out) / "tokenizer"
    if not folder.is_dir():
        sizes = config.models.tokenizer.model_dump(exclude_none=True)
        make_tokenizer(vocabulary_texts(), **sizes).save_pretrained(folder)
    return CLIPTokenizer.from_pretrained(folder)
