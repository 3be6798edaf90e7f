"""The cross-attention layers of a U-Net and their grids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import Attention

from x2x_core.common.errors import InputError

GRID_SHARE = 0.5  # side of the recorded grid, share of the latents' side


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


def _level(name: str, blocks: int) -> int:
    """Return how often the latents are halved before a layer: once after each down block but the last."""
    match = re.match(r"(down|up)_blocks\.(\d+)\.", name)
    if match is None:
        return blocks - 1
    number = int(match.group(2))
    return number if match.group(1) == "down" else blocks - 1 - number


def grid_at(level: int, cells: tuple[int, int]) -> tuple[int, int]:
    """Return `(height, width)` of a layer's grid for latents of `cells`: halved `level` times, rounded up."""
    height, width = (-(-side // 2**level) for side in cells)
    return height, width


def watched_level(layers: Sequence[CrossAttentionLayer], grid_share: float = GRID_SHARE) -> int:
    """Return the level whose grid is nearest, in octaves, to a share of the latents' side; of two, the finer.

    Args:
        layers: of the U-Net.
        grid_share: side of the grid as a share of the latents' side, (0, 1].

    Raises:
        InputError: `grid_share` is out of range.
    """
    if not 0 < grid_share <= 1:
        raise InputError(f"`grid_share` must lie in (0, 1], got {grid_share:g}.")

    def ratio(level: int) -> float:
        share = 2.0**-level
        return max(share, grid_share) / min(share, grid_share)

    return min(sorted({layer.level for layer in layers}), key=ratio)
