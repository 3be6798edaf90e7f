"""Low-rank adapters: a few million numbers are trained and shared instead of a whole U-Net.

Hu et al., *LoRA: Low-Rank Adaptation of Large Language Models* (ICLR 2022), on the projections of all attention layers.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.utils import convert_state_dict_to_diffusers

from x2x_core.common.checkpoint_layout import LATENT_CHANNELS
from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra

_TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]


def add_adapters(unet: UNet2DConditionModel, rank: int, alpha: float) -> UNet2DConditionModel:
    """Freeze a U-Net and add trainable adapters, which initially change nothing.

    Args:
        unet: with 8 input channels; changed in place.
        rank: of the adapters.
        alpha: scale of the adapters times the rank; 0: the rank.

    Raises:
        MissingExtraError: peft is not installed.
        InputError: a text-to-image U-Net, whose new input channels adapters would not train.
    """
    with needs_extra("`lora_rank`", "peft", "lora"):
        from peft import LoraConfig
    if unet.config.in_channels != 2 * LATENT_CHANNELS:
        raise InputError(
            f"`lora_rank` needs an InstructPix2Pix U-Net ({2 * LATENT_CHANNELS} input channels), got "
            f"{unet.config.in_channels}."
        )
    unet.requires_grad_(False)
    settings: dict[str, Any] = {"r": rank, "lora_alpha": alpha or rank, "init_lora_weights": "gaussian"}
    unet.add_adapter(LoraConfig(target_modules=list(_TARGETS), **settings))
    return unet


def save_adapters(unet: UNet2DConditionModel, folder: Path) -> None:
    """Write the adapters alone, in the format of `pipe.load_lora_weights(folder)`."""
    from peft import get_peft_model_state_dict

    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    settings = unet.peft_config["default"].to_dict()  # without rank and scale, a scale of 1 would be assumed
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers, unet_lora_adapter_metadata=settings)


def merged(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Return a copy of a U-Net with its adapters merged into the weights."""
    whole = copy.deepcopy(unet)
    whole.fuse_lora()
    whole.unload_lora()
    return whole
