"""Random augmentation of a pair: the same for both images, with the instruction kept in step.

A horizontal flip swaps left and right in the instruction, and a reversed pair gets the opposite instruction. All other
augmentations leave the instruction unchanged: small rotation, zoom and shift (padded with the border pixels), exposure,
tone curve, sharpness and noise; and a close-up of the change instead of the whole image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError
from x2x_core.common.randomness import uniform
from x2x_core.imaging.blur import blur
from x2x_core.imaging.geometry import resize
from x2x_core.language.instruction import Instruction, swap_sides

from .close_up import close_up
from .layout import Row, read_pair


@dataclass(frozen=True)
class AugmentConfig:
    """Strength of each augmentation; 0 turns it off.

    Raises:
        InputError: a probability outside [0, 1] or a negative strength.
    """

    flip: float = 0.5  # probability of a horizontal flip, instruction included
    rotation: float = 2.0  # largest angle in degrees, in either direction
    zoom: float = 0.0  # largest relative change of size, in either direction
    shift: float = 0.0  # largest shift relative to the size, in either direction
    exposure: float = 0.0  # strength of gamma, contrast and brightness changes
    sharpness: float = 0.0  # strength of blur or unsharp masking
    noise: float = 0.0  # largest standard deviation of added noise, in grey levels of [0, 1]
    reverse: float = 0.0  # probability of reversing the pair and its instruction: for true counterfactuals only
    curve: float = 0.0  # probability of an S-shaped tone curve, as films and lookup tables have
    close_up: float = 0.0  # probability of a window around the change, enlarged, instead of the whole image

    def __post_init__(self) -> None:
        for name in ("flip", "reverse", "curve", "close_up"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"`{name}` must lie in [0, 1], got {getattr(self, name)}.")
        for name in ("rotation", "zoom", "shift", "exposure", "sharpness", "noise"):
            if getattr(self, name) < 0:
                raise InputError(f"`{name}` must not be negative, got {getattr(self, name)}.")


#: The paper's augmentation: a flip in half of the cases, rotation by up to 2 degrees.
PAPER_AUGMENTATION = AugmentConfig()


def read_augmented(row: Row, size: int, config: AugmentConfig, generator: torch.Generator) -> tuple[torch.Tensor, str]:
    """Read a pair and augment it and its instruction, see `augment_to`.

    Raises:
        InputNotFoundError: an image is missing.
        InputError: an image cannot be decoded, or the two are not squares of the same size.
    """
    return augment_to(read_pair(row, None), row.instruction, size, config, generator)


def augment_to(
    pair: torch.Tensor, instruction: str, size: int, config: AugmentConfig, generator: torch.Generator
) -> tuple[torch.Tensor, str]:
    """Bring a pair to a size, whole or as a close-up, and augment it and its instruction, see `augment`.

    Args:
        pair: `(2, S, S)` in [0, 1], past and current. A close-up is cut from it, so it shows more detail where S is
            larger than `size`.
        instruction: the instruction's text.
        size: side of the result in pixels.
        config: strength of each augmentation.
        generator: source of all random numbers; equal states give equal results.

    Returns:
        The augmented pair `(2, size, size)` in [0, 1], and the matching instruction.
    """
    if config.close_up and uniform(0, 1, generator) < config.close_up:
        pair = close_up(pair, generator)
    return augment(resize(pair[:, None], (size, size))[:, 0], instruction, config, generator)


def augment(
    pair: torch.Tensor, instruction: str, config: AugmentConfig, generator: torch.Generator
) -> tuple[torch.Tensor, str]:
    """Augment a pair and its instruction.

    Args:
        pair: `(2, H, W)` in [0, 1], past and current.
        instruction: the instruction's text.
        config: strength of each augmentation; `close_up`, which changes the size, is applied by `augment_to`.
        generator: source of all random numbers; equal states give equal results.

    Returns:
        The augmented pair, same shape and range, and the matching instruction.
    """
    if uniform(0, 1, generator) < config.flip:
        pair, instruction = pair.flip(-1), swap_sides(instruction)
    pair = _transform(pair, config, generator)
    pair = _apply_tone_curve(_change_exposure(pair, config.exposure, generator), config.curve, generator)
    pair = _change_sharpness(pair, config.sharpness, generator)
    return _add_noise(pair, config.noise, generator).clamp(0, 1), instruction


def reverse(
    pair: torch.Tensor, instruction: str, probability: float, generator: torch.Generator
) -> tuple[torch.Tensor, str]:
    """Reverse a pair `(2, ...)` with a probability: additions become removals and level changes swap their ends.

    Use it for counterfactuals, whose two images differ in nothing but the instruction. Pairs whose instruction has no
    opposite are returned unchanged.
    """
    if uniform(0, 1, generator) >= probability:
        return pair, instruction
    try:
        opposite = str(Instruction.parse(instruction).reversed())
    except ValueError:
        return pair, instruction
    return pair.flip(0), opposite


def _transform(pair: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Rotate, zoom and shift, padding with the border pixels."""
    if not (config.rotation or config.zoom or config.shift):
        return pair
    angle = math.radians(uniform(-config.rotation, config.rotation, generator))
    scale = 1 / (1 + uniform(-config.zoom, config.zoom, generator))
    dx, dy = (2 * uniform(-config.shift, config.shift, generator) for _ in range(2))
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    grid = F.affine_grid(
        torch.tensor([[[cos, -sin, dx], [sin, cos, dy]]]), [1, 2, *pair.shape[-2:]], align_corners=False
    )
    return F.grid_sample(pair[None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0]


def _change_exposure(pair: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """Change gamma, contrast and brightness."""
    if not strength:
        return pair
    gamma = math.exp(uniform(-0.35, 0.35, generator) * strength)
    contrast = math.exp(uniform(-0.25, 0.2, generator) * strength)
    brightness = uniform(-0.10, 0.10, generator) * strength
    return (contrast * (pair.clamp_min(1e-6) ** gamma - 0.5) + 0.5 + brightness).clamp(0, 1)


def _apply_tone_curve(pair: torch.Tensor, probability: float, generator: torch.Generator) -> torch.Tensor:
    """Apply an S-shaped tone curve with a probability: more contrast in the lungs, an abdomen close to white.

    Changes behind the diaphragm become as faint as on films with a white abdomen, so a model learns to draw what is
    visible.
    """
    if not probability or uniform(0, 1, generator) >= probability:
        return pair
    steepness, middle = uniform(3, 9, generator), uniform(0.3, 0.55, generator)
    low, high = torch.sigmoid(steepness * (torch.tensor([0.0, 1.0]) - middle))
    return ((torch.sigmoid(steepness * (pair - middle)) - low) / (high - low)).clamp(0, 1)


def _change_sharpness(pair: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """Blur or apply unsharp masking."""
    amount = uniform(-1, 1, generator) * strength
    if abs(amount) < 0.1:
        return pair
    blurred = blur(pair, 1.2 * abs(amount) if amount < 0 else 1.5)
    return blurred if amount < 0 else pair + amount * (pair - blurred)


def _add_noise(pair: torch.Tensor, largest: float, generator: torch.Generator) -> torch.Tensor:
    """Add the same Gaussian noise to both images, its standard deviation drawn from [0, `largest`)."""
    if not largest:
        return pair
    noise = torch.randn(pair.shape[-2:], generator=generator)
    return pair + uniform(0, largest, generator) * noise
