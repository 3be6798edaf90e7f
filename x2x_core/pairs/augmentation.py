"""Random variation of a pair: both images alike, and the words with them.

A horizontal flip of the picture swaps left and right in the instruction too, and a pair that runs backwards has the
opposite instruction. Everything else keeps the words: small
rotation, zoom and shift (filled with the image's own border), exposure, tone curve, sharpness and grain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError
from x2x_core.common.randomness import uniform
from x2x_core.imaging.blur import blur
from x2x_core.language.instruction import Instruction, swap_sides


@dataclass(frozen=True)
class AugmentConfig:
    """How widely a pair is varied. Everything 0 leaves it as it is."""

    flip: float = 0.5  # chance of a horizontal flip, words included
    rotation: float = 2.0  # degrees, either way
    zoom: float = 0.0  # share of the size, either way
    shift: float = 0.0  # share of the size, either way
    exposure: float = 0.0  # strength of gamma, contrast and brightness changes
    sharpness: float = 0.0  # strength of blur or unsharp masking
    noise: float = 0.0  # largest spread of added grain, in grey levels of [0, 1]
    reverse: float = 0.0  # chance that the pair runs backwards, words included: for true counterfactuals only
    curve: float = 0.0  # chance of an S-shaped tone curve, as films and lookup tables have

    def __post_init__(self) -> None:
        for name in ("flip", "reverse", "curve"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"`{name}` must lie in [0, 1], got {getattr(self, name)}.")
        for name in ("rotation", "zoom", "shift", "exposure", "sharpness", "noise"):
            if getattr(self, name) < 0:
                raise InputError(f"`{name}` must not be negative, got {getattr(self, name)}.")


def augment(
    pair: torch.Tensor, instruction: str, config: AugmentConfig, generator: torch.Generator
) -> tuple[torch.Tensor, str]:
    """Vary a pair and its instruction.

    Args:
        pair: `(2, H, W)` in [0, 1], past and current.
        instruction: the words.
        config: how widely.
        generator: the same state gives the same result.

    Returns:
        The varied pair, same shape and range, and the words that go with it.
    """
    if uniform(0, 1, generator) < config.flip:
        pair, instruction = pair.flip(-1), swap_sides(instruction)
    pair = _move(pair, config, generator)
    pair = _bend(_retone(pair, config.exposure, generator), config.curve, generator)
    pair = _resharpen(pair, config.sharpness, generator)
    return _add_grain(pair, config.noise, generator).clamp(0, 1), instruction


def reverse(
    pair: torch.Tensor, instruction: str, chance: float, generator: torch.Generator
) -> tuple[torch.Tensor, str]:
    """Run a pair `(2, ...)` backwards, by chance: what was added is removed, levels change the other way.

    That holds for counterfactuals, which differ in nothing else; of two radiographs taken at two times it is as true
    as the forward pair. An instruction that can't be undone keeps its direction.
    """
    if uniform(0, 1, generator) >= chance:
        return pair, instruction
    try:
        backwards = str(Instruction.parse(instruction).reversed())
    except ValueError:
        return pair, instruction
    return pair.flip(0), backwards


def _move(pair: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    if not (config.rotation or config.zoom or config.shift):
        return pair
    angle = math.radians(uniform(-config.rotation, config.rotation, generator))
    scale = 1 / (1 + uniform(-config.zoom, config.zoom, generator))
    dx, dy = (2 * uniform(-config.shift, config.shift, generator) for _ in range(2))
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    grid = F.affine_grid(
        torch.tensor([[[cos, -sin, dx], [sin, cos, dy]]]), (1, 2, *pair.shape[-2:]), align_corners=False
    )
    return F.grid_sample(pair[None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0]


def _retone(pair: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    if not strength:
        return pair
    gamma = math.exp(uniform(-0.35, 0.35, generator) * strength)
    contrast = math.exp(uniform(-0.25, 0.2, generator) * strength)
    brightness = uniform(-0.10, 0.10, generator) * strength
    return (contrast * (pair.clamp_min(1e-6) ** gamma - 0.5) + 0.5 + brightness).clamp(0, 1)


def _bend(pair: torch.Tensor, chance: float, generator: torch.Generator) -> torch.Tensor:
    """Lay an S-shaped curve over the grey levels by chance: contrast in the lung, and an abdomen near white.

    What changes behind the diaphragm is then as faint as it is on a film whose abdomen is white, and a model learns to
    draw what can be seen.
    """
    if not chance or uniform(0, 1, generator) >= chance:
        return pair
    steepness, middle = uniform(3, 9, generator), uniform(0.3, 0.55, generator)
    low, high = torch.sigmoid(steepness * (torch.tensor([0.0, 1.0]) - middle))
    return ((torch.sigmoid(steepness * (pair - middle)) - low) / (high - low)).clamp(0, 1)


def _resharpen(pair: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    amount = uniform(-1, 1, generator) * strength
    if abs(amount) < 0.1:
        return pair
    soft = blur(pair, 1.2 * abs(amount) if amount < 0 else 1.5)
    return soft if amount < 0 else pair + amount * (pair - soft)


def _add_grain(pair: torch.Tensor, largest: float, generator: torch.Generator) -> torch.Tensor:
    if not largest:
        return pair
    grain = torch.randn(pair.shape[-2:], generator=generator)  # one draw: the pair shares its grain
    return pair + uniform(0, largest, generator) * grain
