"""Low-rank adapters in place of a whole U-Net: a few million numbers are trained, kept, and passed on.

Hu et al., *LoRA: Low-Rank Adaptation of Large Language Models* (ICLR 2022), on the projections of all attention layers.
"""

from __future__ import annotations

import copy
from pathlib import Path

from diffusers import UNet2DConditionModel

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra

_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")


def add_adapters(unet: UNet2DConditionModel, rank: int, alpha: float) -> UNet2DConditionModel:
    """Freeze a U-Net and give it adapters that train; at first they change nothing.

    Args:
        unet: changed in place; 8 input channels.
        rank: of the adapters.
        alpha: their scale times the rank; 0: the rank.

    Raises:
        MissingExtraError: the library `peft` is missing.
        InputError: a text-to-image U-Net, whose new input channels adapters don't train.
    """
    with needs_extra("`lora_rank`", "peft", "lora"):
        from peft import LoraConfig
    if unet.config.in_channels != 8:
        raise InputError(
            f"`lora_rank` needs an InstructPix2Pix U-Net (8 input channels), got {unet.config.in_channels}."
        )
    unet.requires_grad_(False)
    unet.add_adapter(
        LoraConfig(r=rank, lora_alpha=alpha or rank, target_modules=list(_TARGETS), init_lora_weights="gaussian")
    )
    return unet


def save_adapters(unet: UNet2DConditionModel, folder: Path) -> None:
    """Write the adapters alone, as `pipe.load_lora_weights(folder)` reads them."""
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import get_peft_model_state_dict

    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    settings = unet.peft_config["default"].to_dict()  # rank and scale, without which a scale of 1 is taken
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers, unet_lora_adapter_metadata=settings)


def merged(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy of a U-Net with its adapters' change added to its weights, and no adapters."""
    whole = copy.deepcopy(unet)
    whole.fuse_lora()
    whole.unload_lora()
    return whole
