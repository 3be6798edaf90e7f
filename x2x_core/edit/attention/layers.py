"""The cross-attention layers of a U-Net."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import Attention

from x2x_core.common.errors import InputError


@dataclass(frozen=True)
class CrossAttentionLayer:
    """One `attn2` layer of a U-Net."""

    name: str
    module: Attention
    level: int  # how often the latents were halved before it


def cross_attention_layers(unet: torch.nn.Module) -> list[CrossAttentionLayer]:
    """Return the `attn2` layers of a `UNet2DConditionModel`, compiled or not.

    Raises:
        InputError: the U-Net has no cross-attention.
    """
    unet = getattr(unet, "_orig_mod", unet)
    blocks = len(getattr(unet, "down_blocks", ()))
    layers = [
        CrossAttentionLayer(name, module, _level(name, blocks))
        for name, module in unet.named_modules()
        if name.endswith("attn2") and isinstance(module, Attention)
    ]
    if not layers:
        raise InputError(f"`unet` must have cross-attention layers (attn2), but {type(unet).__name__} has none.")
    return layers


def attention_levels(unet: torch.nn.Module) -> set[int]:
    """Return the levels of a U-Net's cross-attention layers.

    Raises:
        InputError: the U-Net has no cross-attention.
    """
    return {layer.level for layer in cross_attention_layers(unet)}


def _level(name: str, blocks: int) -> int:
    """Return how often the latents are halved before a layer: once after each down block but the last."""
    match = re.match(r"(down|up)_blocks\.(\d+)\.", name)
    if match is None:
        return blocks - 1
    number = int(match.group(2))
    return number if match.group(1) == "down" else blocks - 1 - number
