"""The ways to edit that the speed benchmark compares, on the demo and on a model of Stable Diffusion's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from x2x_core import InstructX2XPipeline
from x2x_core.edit.presets import PRESETS
from x2x_core.edit.settings import PUBLISHED, resolve_settings
from x2x_core.evaluation.benchmark.rows import Row

PROMPT = "Add the finding of moderate right pleural effusion."
OTHER_PROMPT = "Add the finding of mild consolidation in the left lower zone."
REMOVAL = "Remove the finding of right pleural effusion."
PUBLISHED_WAY, STOCK_WAY = "published arithmetic", "stock diffusers"


@dataclass(frozen=True)
class Way:
    """One way to edit.

    Args:
        name: in tables.
        arguments: of the pipeline's call.
        stock: edit with diffusers' own `StableDiffusionInstructPix2PixPipeline`.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    stock: bool = False


# The first is what the others are compared with.
PEERS = (Way(PUBLISHED_WAY, {"reference": True}), Way(STOCK_WAY, stock=True))
OURS = tuple(Way(f"ours, {preset}", {"preset": preset}) for preset in reversed(PRESETS))
WAYS = (*PEERS, *OURS)


def stock_pipeline(pipe: InstructX2XPipeline) -> StableDiffusionInstructPix2PixPipeline:
    """Return diffusers' pipeline on the same networks, with a scheduler of its own."""
    names = ("vae", "text_encoder", "tokenizer", "unet", "safety_checker", "feature_extractor")
    parts = {name: getattr(pipe, name) for name in names}
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    stock = StableDiffusionInstructPix2PixPipeline(**parts, scheduler=scheduler, requires_safety_checker=False)
    stock.set_progress_bar_config(disable=True)
    return stock


@dataclass(frozen=True)
class Editor:
    """A pipeline, and diffusers' own on the same networks."""

    pipe: InstructX2XPipeline
    stock: StableDiffusionInstructPix2PixPipeline

    @classmethod
    def of(cls, pipe: InstructX2XPipeline) -> Editor:
        """Return the editor of a pipeline."""
        pipe.set_progress_bar_config(disable=True)
        return cls(pipe, stock_pipeline(pipe))

    def edit(
        self,
        way: Way,
        image: Any,
        copies: int = 1,
        steps: int | None = None,
        prompt: str = PROMPT,
        first_seed: int = 0,
        **arguments: Any,
    ) -> Any:
        """Edit in one way.

        Args:
            way: the way; stock diffusers ignores `arguments`.
            image: `(N, C, H, W)` in [0, 1] at the model's size, or prepared.
            copies: edits of each, each with a seed of its own.
            steps: ``None``: the way's own number.
            prompt: the instruction.
            first_seed: of the first edit; those of the others follow.
            arguments: of the pipeline's call.
        """
        seeds = range(first_seed, first_seed + copies * len(image))
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        call = {"num_images_per_prompt": copies, "generator": generators, "output_type": "pt"}
        if steps is not None:
            call["num_inference_steps"] = steps
        if way.stock:
            return self.stock(prompt, image=image.expand(-1, 3, -1, -1), **call)
        return self.pipe(image, prompt, **{**call, **way.arguments, **arguments})


def square_mask(share: float, side: int) -> torch.Tensor:
    """Return a guidance mask `(1, 1, side, side)` bool: a square in the middle with a share of the area."""
    width = max(1, round(side * share**0.5))
    first = (side - width) // 2
    mask = torch.zeros(1, 1, side, side, dtype=torch.bool)
    mask[..., first : first + width, first : first + width] = True
    return mask


def rows_of(pipe: InstructX2XPipeline) -> list[Row]:
    """Return the ways as rows of an ablation: published steps where they are published, the checkpoint's scales."""
    settings = resolve_settings({}, pipe.config)
    scales = {
        "guidance_scale": settings.guidance_scale,
        "image_guidance_scale": settings.image_guidance_scale,
    }
    steps = {"num_inference_steps": PUBLISHED.num_inference_steps}
    rows = []
    for way in WAYS:
        arguments = {"restricted": False, **steps, **scales} if way.stock else {**scales, **way.arguments}
        rows.append(Row(way.name, "see `benchmarks/speed_ways.py`", arguments, is_peer=way not in OURS))
    return rows


def large_pipeline(tokenizer: Any) -> InstructX2XPipeline:
    """Return a pipeline of Stable Diffusion's size for 512 x 512 pixels, with random weights: for costs alone.

    The text encoder has one layer of Stable Diffusion's width; its cost does not depend on the picture.

    Args:
        tokenizer: any CLIP tokenizer.
    """
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            sample_size=64, in_channels=8, cross_attention_dim=768, attention_head_dim=8, layers_per_block=2
        )
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            latent_channels=4,
            sample_size=512,
        )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=768, intermediate_size=3072, num_hidden_layers=1,
            num_attention_heads=12, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    draws = torch.Generator().manual_seed(0)
    for network in (unet, vae):
        network.to_empty(device="cpu")
        for weights in network.parameters():
            weights.data.uniform_(-0.02, 0.02, generator=draws)
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    return InstructX2XPipeline(
        vae=vae.eval(),
        text_encoder=text.eval(),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
