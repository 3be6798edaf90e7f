"""Configurations of InstructPix2Pix at Stable Diffusion 1's size, for files without any."""

from __future__ import annotations

import json

import diffusers
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig

from x2x_core.common.checkpoint_layout import MODEL_INDEX, OPTIONAL_PARTS
from x2x_core.edit.published import stable_diffusion_ddim

from .checkpoint import CONFIGS, SCHEDULER
from .names import PREFIXES

#: Original name of the weight whose shape shows whether the U-Net takes an image besides the noise.
INPUT_WEIGHT = PREFIXES["unet"] + "input_blocks.0.0.weight"


def stable_diffusion_files(in_channels: int, dtype: torch.dtype) -> dict[str, str]:
    """Return index and configurations of a Stable Diffusion 1 checkpoint, without a tokenizer.

    The noise schedule is Stable Diffusion's with DDIM, as InstructX2X's published code uses it.

    Args:
        in_channels: of the U-Net; 8 in InstructPix2Pix.
        dtype: of the weights.
    """
    return {
        MODEL_INDEX: model_index(),
        CONFIGS["unet"]: _unet(in_channels).to_json_string(),
        CONFIGS["vae"]: _autoencoder().to_json_string(),
        CONFIGS["text_encoder"]: _text_encoder_config(dtype),
        SCHEDULER: stable_diffusion_ddim("epsilon").to_json_string(),
    }


def model_index() -> str:
    """Return the index of a stock InstructPix2Pix folder without a safety checker."""
    absent = {part: [None, None] for part in OPTIONAL_PARTS}
    parts = {
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"],
    }
    head = {"_class_name": "StableDiffusionInstructPix2PixPipeline", "_diffusers_version": diffusers.__version__}
    return json.dumps(head | parts | absent | {"requires_safety_checker": False}, indent=2, sort_keys=True) + "\n"


def _unet(in_channels: int) -> UNet2DConditionModel:
    with torch.device("meta"):  # diffusers' defaults are Stable Diffusion 1's
        return UNet2DConditionModel(sample_size=64, in_channels=in_channels, cross_attention_dim=768)


def _autoencoder() -> AutoencoderKL:
    with torch.device("meta"):
        return AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            sample_size=512,
            scaling_factor=0.18215,
        )


def _text_encoder_config(dtype: torch.dtype) -> str:
    """Return the configuration of the text encoder of CLIP ViT-L/14 (Radford et al., ICML 2021)."""
    config = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=77,
        projection_dim=768,
        hidden_act="quick_gelu",
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=49407,
        architectures=["CLIPTextModel"],
        dtype=str(dtype).removeprefix("torch."),
    )
    return config.to_json_string(use_diff=False)
