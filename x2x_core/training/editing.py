"""Training of the editor: a U-Net that follows instructions, in InstructPix2Pix's manner.

Brooks, Holynski, Efros, *InstructPix2Pix: Learning to Follow Image Editing Instructions* (CVPR 2023): the encoded
input image is concatenated to the noisy latents, and text and image are dropped at random so that both can be guided.

InstructPix2Pix learns, for an image without a text, whatever any instruction might have made of it. With
`no_text: unchanged` the model learns that no instruction changes nothing: then the text branch and the image branch
differ by the change that the instruction asks for and by nothing else, which is what the relevance map wants to see
and what the guidance scale of the text should scale.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from x2x_core.common.errors import InputError
from x2x_core.common.extras import missing_extra
from x2x_core.common.seeds import SAMPLES, seeded_generator
from x2x_core.edit.published import stable_diffusion_ddim
from x2x_core.edit.settings import RECOMMENDABLE
from x2x_core.language.vocabulary import listed_names
from x2x_core.pairs.augmentation import reverse
from x2x_core.pairs.layout import findings_of, read_pair, read_rows
from x2x_core.pairs.mimic_edit import MimicEditInstruction

from .autoencoder import encode
from .card import write_card
from .config import TrainingConfig
from .initial import initial_folder
from .latents import LatentCache, balanced, change_weight
from .lora import add_adapters, merged, save_adapters
from .models import latent_factor, make_text_encoder, make_tokenizer, make_unet, seeded


class EditModule(nn.Module):
    """The diffusion loss of a U-Net, with its text encoder (trained or frozen)."""

    def __init__(
        self,
        unet,
        text_encoder,
        scheduler: DDIMScheduler,
        train_text_encoder: bool,
        weight: float,
        no_text: str = "any",
        scaling_factor: float = 1.0,
        balance: float = 0.0,
    ) -> None:
        super().__init__()
        self.unet, self.text_encoder = unet, text_encoder
        self.text_encoder.requires_grad_(train_text_encoder)
        self.scheduler, self.weight, self.balance = scheduler, weight, balance
        self.no_text, self.scaling_factor = no_text, scaling_factor

    def forward(self, latents, image_latents, weight, ids, null_ids, noise, timesteps, draws, dropout: float):
        """The loss of one batch.

        Args:
            latents: `(B, 4, h, w)` of the image to be reached, scaled.
            image_latents: `(B, 4, h, w)` of the image to be edited, unscaled.
            weight: `(B, 1, h, w)` in [0, 1], where the two differ.
            ids: `(B, L)` tokens of the instructions; `null_ids` `(1, L)` those of the empty one.
            noise: standard normal, of the latents' shape; `timesteps` `(B,)`.
            draws: `(B,)` uniform in [0, 1), which decide what is dropped: text below 2 d, image from d to 3 d.
            dropout: d.

        Returns:
            `loss`, and `change`: the error where the images differ.
        """
        text_dropped, image_dropped = draws < 2 * dropout, (draws >= dropout) & (draws < 3 * dropout)
        ids = torch.where(text_dropped[:, None], null_ids, ids)
        states = self.text_encoder(ids)[0]
        if self.no_text == "unchanged":
            kept = (text_dropped & ~image_dropped)[:, None, None, None]
            latents = torch.where(kept, image_latents * self.scaling_factor, latents)
        image_latents = image_latents * (~image_dropped).to(image_latents.dtype)[:, None, None, None]
        noisy = self.scheduler.add_noise(latents, noise, timesteps)
        output = self.unet(torch.cat([noisy, image_latents], dim=1), timesteps, states).sample
        error = (output.float() - self._target(latents, noise, timesteps).float()).square()
        changed = (error * weight).sum() / (weight.sum() * error.shape[1]).clamp_min(1e-6)
        emphasis = 1 + self.weight * balanced(weight, self.balance)
        return {"loss": (error * emphasis).mean(), "change": changed, "error": error.mean()}

    def _target(self, latents, noise, timesteps):
        if self.scheduler.config.prediction_type == "v_prediction":
            return self.scheduler.get_velocity(latents, noise, timesteps)
        return noise


def to_pure_noise(scheduler: DDIMScheduler) -> DDIMScheduler:
    """The scheduler with noise levels scaled so that the last one holds no signal.

    Else the last level holds a trace of the target, and a model learns to read it; an edit, which starts from noise
    alone, then depends on what the noise happens to look like (Lin et al., *Common diffusion noise schedules and sample
    steps are flawed*, 2024, algorithm 1).

    Raises:
        InputError: the model predicts noise: from pure noise that says nothing of the picture.
    """
    if scheduler.config.prediction_type != "v_prediction":
        raise InputError(
            f"`zero_snr` needs a model that predicts v_prediction, but this one predicts "
            f"{scheduler.config.prediction_type}. Leave `zero_snr` out."
        )
    return DDIMScheduler.from_config(scheduler.config, rescale_betas_zero_snr=True)


class EditTask:
    """What the trainer needs to know to train the editor."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.pairs = MimicEditInstruction(config.data, "train", config.size, config.augment, config.seed)
        self.rows = self.pairs.rows
        self.length = len(self.rows)
        self.vae, self.tokenizer, text_encoder, unet, self.scheduler = self._load() if config.init else self._create()
        if config.zero_snr:
            self.scheduler = to_pure_noise(self.scheduler)
        self.vae.requires_grad_(False).eval()
        if config.gradient_checkpointing:
            unet.enable_gradient_checkpointing()
        if config.attention == "xformers":
            _use_xformers(unet)
        if config.lora_rank:
            with seeded(config.seed):
                add_adapters(unet, config.lora_rank, config.lora_alpha)
        else:
            _eight_channels(unet)
        self.module = EditModule(
            unet, text_encoder, self.scheduler, config.train_text_encoder, config.change_weight, config.no_text,
            self.vae.config.scaling_factor, config.change_balance,
        )  # fmt: skip
        self.null_ids = self._tokens([""])
        self.cache: LatentCache | None = None
        self.validation = MimicEditInstruction(config.data, "val", config.size, None) if config.validate_every else ()
        self.validation_length = min(len(self.validation), config.validation_pairs)

    def _load(self):
        """The parts of an InstructPix2Pix checkpoint in the diffusers layout."""
        init = initial_folder(self.config)
        return (
            AutoencoderKL.from_pretrained(init, subfolder="vae", torch_dtype=torch.float32),
            CLIPTokenizer.from_pretrained(init, subfolder="tokenizer"),
            CLIPTextModel.from_pretrained(init, subfolder="text_encoder", dtype=torch.float32),
            UNet2DConditionModel.from_pretrained(init, subfolder="unet", torch_dtype=torch.float32),
            DDIMScheduler.from_pretrained(init, subfolder="scheduler"),
        )

    def _create(self):
        """The small models, with the trained autoencoder."""
        config = self.config
        vae = AutoencoderKL.from_pretrained(config.autoencoder, subfolder="vae")
        sizes = {name: dict(values) for name, values in config.models.items()}
        tokenizer = self._own_tokenizer(sizes.get("tokenizer", {}))
        with seeded(config.seed):
            text_encoder = make_text_encoder(tokenizer, **sizes.get("text_encoder", {}))
            width = text_encoder.config.hidden_size
            unet = make_unet(latent_size=config.size // latent_factor(vae), text_width=width, **sizes.get("unet", {}))
        return vae, tokenizer, text_encoder, unet, stable_diffusion_ddim(config.prediction_type)

    def _own_tokenizer(self, sizes: dict[str, Any]) -> CLIPTokenizer:
        """The run's tokenizer: a run that goes on keeps its own, whatever words the language has learnt since."""
        folder = Path(self.config.out) / "tokenizer"
        if not folder.is_dir():
            make_tokenizer(vocabulary_texts(), **sizes).save_pretrained(folder)
        return CLIPTokenizer.from_pretrained(folder)

    def _tokens(self, texts: list[str]) -> torch.Tensor:
        length = self.tokenizer.model_max_length
        return self.tokenizer(
            texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        ).input_ids

    def prepare(self, device: torch.device, accelerator) -> None:
        """Put the frozen autoencoder on its device, and encode the data where that is asked for."""
        config = self.config
        self.vae.to(device, memory_format=torch.channels_last)  # encodes in two thirds of the time on a CPU
        if not config.latent_variants:
            return
        latent_size = config.size // latent_factor(self.vae)
        with accelerator.main_process_first(), accelerator.autocast():
            self.cache = LatentCache(Path(config.out) / "latents", self.length, config.latent_variants, latent_size)
            self.cache.build(self.vae, self.rows, config.augment, config.size, config.seed)

    def make(self, index: int, generator: torch.Generator) -> dict[str, Any]:
        """One sample: the encoded pair, or the images where nothing is encoded beforehand; its tokens."""
        if self.cache is not None:
            variant = int(torch.randint(self.config.latent_variants, (), generator=generator))
            latents, weight, text = self.cache[index, variant]
            latents, text = reverse(latents, text, self.config.augment.reverse, generator)
            return {"latents": latents, "weight": weight, "ids": self._tokens([text])[0]}
        pair, text = self.pairs.draw(index, generator)
        return {"pair": pair, "ids": self._tokens([text])[0]}

    def validation_sample(self, index: int) -> dict[str, Any]:
        """One pair of the split "val" as it is, and its tokens."""
        item = self.validation[index]
        return {"pair": item["pair"], "ids": self._tokens([item["instruction"]])[0]}

    def loss(
        self, module: nn.Module, batch: dict, generator: torch.Generator, dropout: float | None = None
    ) -> dict[str, torch.Tensor]:
        """Losses of one batch; `generator` draws noise, timesteps and what is dropped.

        `dropout` is the chance to drop text, image, and both, each; ``None``: the configuration's.
        """
        latents, weight = (batch["latents"], batch["weight"]) if "latents" in batch else self._encode(batch["pair"])
        image_latents, target = latents[:, 0], latents[:, 1] * self.vae.config.scaling_factor
        count, device = len(target), target.device
        noise = torch.randn(target.shape, generator=generator).to(device)
        timesteps = self._timesteps(count, generator).to(device)
        draws = torch.rand(count, generator=generator).to(device)
        null_ids, dropout = self.null_ids.to(device), self.config.conditioning_dropout if dropout is None else dropout
        return module(target, image_latents, weight, batch["ids"], null_ids, noise, timesteps, draws, dropout)

    def _timesteps(self, count: int, generator: torch.Generator) -> torch.Tensor:
        last = self.scheduler.config.num_train_timesteps
        noisiness = 1 - torch.rand(count, generator=generator) ** self.config.timestep_bias
        return (noisiness * last).long().clamp(max=last - 1)

    def _encode(self, pair: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        latents = encode(self.vae, pair.flatten(0, 1)[:, None].to(self.vae.dtype)).unflatten(0, (len(pair), 2))
        weight = torch.stack([change_weight(one, latents.shape[-2:]) for one in pair])
        return latents, weight

    def pipeline(self, module: EditModule):
        """The parts as a pipeline."""
        from x2x_core.pipeline import InstructX2XPipeline

        return InstructX2XPipeline(
            vae=self.vae,
            text_encoder=module.text_encoder,
            tokenizer=self.tokenizer,
            unet=module.unet,
            scheduler=self.scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
            **self._settings,
        )

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """What the pipeline's config says of its use: that of the initial checkpoint, or what training implies."""
        index = {"canonical_prompts": True}  # from scratch: the simulator's wording is all that it has seen
        if self.config.init:
            index = json.loads((Path(initial_folder(self.config)) / "model_index.json").read_text(encoding="utf-8"))
        kept = ("canonical_prompts", *(f"recommended_{name}" for name in RECOMMENDABLE))
        trained = _trained_findings(findings_of(self.rows), index)
        return {**{name: index[name] for name in kept if name in index}, "trained_findings": trained}

    def sample(self, module: EditModule, device: torch.device) -> torch.Tensor:
        """A grid `(1, H, W)` in [0, 1] of validation pairs: input, guidance map, edit, truth, one column each."""
        pipeline = self.pipeline(module)
        pipeline.set_progress_bar_config(disable=True)
        columns, settings = [], {"num_inference_steps": self.config.sample_steps} if self.config.sample_steps else {}
        for number, row in enumerate(read_rows(self.config.data, "val")[:8]):
            pair = read_pair(row, self.config.size)[:, None]
            generator = seeded_generator(self.config.seed, SAMPLES, number)
            result = pipeline(pair[:1].to(device), row.instruction, generator=generator, output_type="pt", **settings)
            edited = result.images[0].mean(0, keepdim=True).cpu()
            columns.append(torch.cat([pair[0], result.guidance_map[0].cpu(), edited, pair[1]], dim=-2))
        return torch.cat(columns, dim=-1).float()

    def save(self, module: EditModule, folder: Path) -> None:
        """Write the pipeline in float16, adapters merged and also by themselves in `lora/`; and the model card."""
        pipeline = self.pipeline(module)
        if self.config.lora_rank:
            save_adapters(module.unet, folder.parent / "lora")
            pipeline.register_modules(unet=merged(module.unet))
        pipeline.to(torch.float16).save_pretrained(folder, safe_serialization=True)
        module.float()
        write_card(self.config, folder, pairs=self.length)


def _trained_findings(named: list[str], index: dict[str, Any]) -> str | None:
    """Those of the data and of the initial checkpoint; ``None`` where that is one of ours that does not say."""
    before = index.get("trained_findings")
    if before is None and index.get("_class_name") == "InstructX2XPipeline":
        return None
    return ", ".join(sorted({*named, *listed_names(before or "")}))


def _use_xformers(unet: UNet2DConditionModel) -> None:
    """Let a U-Net attend by xformers.

    Raises:
        MissingExtraError: the library is missing.
        InputError: there is no CUDA device, without which it does not run.
    """
    if importlib.util.find_spec("xformers") is None:
        raise missing_extra("`attention: xformers`", "xformers", "xformers")
    if not torch.cuda.is_available():
        raise InputError("`attention: xformers` needs a CUDA device. Use sdpa.")
    unet.enable_xformers_memory_efficient_attention()


def _eight_channels(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A text-to-image U-Net widened to take image latents: the new input weights are 0, as in InstructPix2Pix."""
    old = unet.conv_in
    if old.in_channels == 8:
        return unet
    if old.in_channels != 4:
        raise InputError(f"`init` must hold a U-Net with 4 or 8 input channels, got {old.in_channels}.")
    new = nn.Conv2d(8, old.out_channels, old.kernel_size, padding=old.padding)
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, :4] = old.weight
        new.bias.copy_(old.bias)
    unet.conv_in = new
    unet.register_to_config(in_channels=8)
    return unet


def vocabulary_texts() -> list[str]:
    """Sentences that hold every word of the instruction language, for the small tokenizer."""
    from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES

    names = [name for finding in FINDINGS.values() for name in (finding.name, *finding.synonyms)]
    grammar = (
        "add remove change increase decrease the level of finding findings from to in on at and lung lungs zone lobe"
    )
    return [*names, *LEVELS, *SIDES, *ZONES, *grammar.split()] * 2
