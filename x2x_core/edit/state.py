"""What the stages of an edit hand to one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.guidance.relevance import upsample
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.inputs import ImageBatch
from x2x_core.language.instruction import Instruction

from .request import EditRequest


@dataclass(frozen=True)
class Edit:
    """A request's pictures and prompts, encoded, and its noise: B outputs, `num_images_per_prompt` of each pair."""

    request: EditRequest
    scheduler: Any  # the pipeline's, or the published one
    images: ImageBatch
    canvas: Canvas
    instructions: list[Instruction]  # P
    owners: list[int]  # B: the picture of each output
    image_latents: torch.Tensor  # (N, C, h, w), unscaled, of the pictures
    prompt_embeds: torch.Tensor  # (3B, tokens, width)
    image_embeds: list[torch.Tensor] | None  # of IP-Adapters, each (3B, ...)
    noise: torch.Tensor  # (B, C, h, w): the diffusion noise
    relevance_noise: torch.Tensor  # (B, L * K, C, h, w): K draws for each of L noise levels, level by level
    wordings: list[str] | None = None  # P: the prompts as they were encoded; None for embeddings

    @property
    def condition(self) -> torch.Tensor:
        """The image latents of each output, `(B, C, h, w)`, unscaled."""
        return self.image_latents[self.owners]

    @property
    def wanted(self) -> list[Instruction]:
        """The instruction of each output, B."""
        return [one for one in self.instructions for _ in range(self.request.num_images_per_prompt)]


@dataclass(frozen=True)
class Guidance:
    """Where an edit may change the image: `(B, 1, H, W)` at the image's size on the CPU."""

    map: torch.Tensor
    mask: torch.Tensor  # bool
    cells: torch.Tensor  # the mask on the canvas: (B, 1, h, w) bool
    relevance: torch.Tensor | None = None
    pseudomask: torch.Tensor | None = None
    uncertainty: torch.Tensor | None = None  # of the relevance


@dataclass(frozen=True)
class Relevance:
    """Where an instruction matters to the model, on the canvas: `(B, 1, h, w)` float32 in [0, 1]."""

    map: torch.Tensor
    uncertainty: torch.Tensor | None  # of the noise predictions; None for a single draw, or where attention counts too


@dataclass(frozen=True)
class Edited:
    """Denoised latents `(B, C, h, w)`, scaled."""

    latents: torch.Tensor
    twin: torch.Tensor | None = None  # what the same noise becomes without the instruction


@dataclass(frozen=True)
class StepCallback:
    """What is told of each step."""

    function: Callable | None = None
    tensors: Sequence[str] = ("latents",)
    legacy: Callable | None = None  # diffusers' deprecated `callback`
    legacy_steps: int = 1


def to_view(decoded: torch.Tensor) -> torch.Tensor:
    """A decoding `(B, C, h, w)`, about [-1, 1], as a picture in [0, 1] on the CPU."""
    return (decoded.float().cpu() / 2 + 0.5).clamp(0, 1)


def to_image(latent_map: torch.Tensor | None, canvas: Canvas) -> torch.Tensor | None:
    """A map on the canvas's latent cells `(B, 1, h, w)` at the picture's own size, on the CPU, in [0, 1]."""
    if latent_map is None:
        return None
    return canvas.cut(upsample(latent_map.cpu(), canvas.pixels)).clamp(0, 1)


def everywhere(edit: Edit) -> Guidance:
    """No restriction: every pixel may change."""
    whole = torch.ones(len(edit.owners), 1, *edit.images.size)
    cells = torch.ones(len(edit.owners), 1, *edit.canvas.cells, dtype=torch.bool, device=edit.noise.device)
    return Guidance(whole, whole > 0, cells, pseudomask=whole.clone())
