"""Preparation of a U-Net for training."""

from __future__ import annotations

import importlib.util

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from x2x_core.common.checkpoint_layout import LATENT_CHANNELS
from x2x_core.common.errors import InputError
from x2x_core.common.extras import missing_extra

from ..config import TrainingConfig
from ..seeding import seeded_initialisation
from .lora import add_adapters


def prepare_unet(unet: UNet2DConditionModel, config: TrainingConfig) -> None:
    """Configure checkpointing and attention of a U-Net, and add adapters or input channels, in place.

    Raises:
        MissingExtraError: a library for adapters or attention is missing.
        InputError: the U-Net or the device does not allow what is configured.
    """
    if config.gradient_checkpointing:
        unet.enable_gradient_checkpointing()
    if config.attention == "xformers":
        use_xformers(unet)
    if config.lora_rank:
        with seeded_initialisation(config.seed):
            add_adapters(unet, config.lora_rank, config.lora_alpha)
    else:
        widen_input(unet)


def use_xformers(unet: UNet2DConditionModel) -> None:
    """Compute the attention of a U-Net with xformers.

    Raises:
        MissingExtraError: xformers is not installed.
        InputError: there is no CUDA device, which xformers requires.
    """
    if importlib.util.find_spec("xformers") is None:
        raise missing_extra("`attention: xformers`", "xformers", "xformers")
    if not torch.cuda.is_available():
        raise InputError("`attention: xformers` needs a CUDA device. Use sdpa.")
    unet.enable_xformers_memory_efficient_attention()


def widen_input(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Add input channels for image latents to a text-to-image U-Net, with weights 0 as in InstructPix2Pix.

    Raises:
        InputError: the U-Net has neither 4 nor 8 input channels.
    """
    old = unet.conv_in
    if old.in_channels == 2 * LATENT_CHANNELS:
        return unet
    if old.in_channels != LATENT_CHANNELS:
        raise InputError(
            f"`init` must hold a U-Net with {LATENT_CHANNELS} or {2 * LATENT_CHANNELS} input channels, got "
            f"{old.in_channels}."
        )
    new = nn.Conv2d(2 * LATENT_CHANNELS, old.out_channels, old.kernel_size, padding=old.padding)
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, :LATENT_CHANNELS] = old.weight
        if new.bias is not None and old.bias is not None:
            new.bias.copy_(old.bias)
    unet.conv_in = new
    unet.register_to_config(in_channels=2 * LATENT_CHANNELS)
    return unet
