"""Records passed between the stages of an edit.

B is the number of outputs: `num_images_per_prompt` for each of P pairs of N pictures and prompts. V is the number of
views, the different placements of pictures on their canvases: N without crops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from x2x_core.guidance.relevance import upsample
from x2x_core.imaging.batch import ImageBatch
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.contrast import Contrast

from .backbones.conditioning import Conditioning
from .drawn import Drawn
from .views import EncodedViews
from .windows import Windows


@dataclass(frozen=True)
class Encoded:
    """Encoded pictures and prompts, and the noise."""

    images: ImageBatch  # N pictures
    canvases: Canvases  # of B outputs
    image_index: list[int]  # B: the picture of each output
    view_index: list[int]  # B: the view of each output
    views: EncodedViews  # V
    clean: torch.Tensor  # (B, C, h, w), scaled, of the view of each output
    conditioning: Conditioning  # of all branches
    noise: torch.Tensor  # (B, C, h, w): the diffusion noise
    relevance_noise: torch.Tensor | None  # (B, L * K, C, h, w): K draws for each of L noise levels, level by level
    contrast: Contrast | None = None  # of the N pictures, which the model saw stretched to it; None: as they are

    @property
    def shown(self) -> torch.Tensor:
        """The picture of each output on its canvas, `(B, C, H, W)` in [0, 1], as the model sees it."""
        return self.views.pixels[self.view_index]


@dataclass(frozen=True)
class KnownPredictions:
    """Predictions for noised originals, by branch, that denoising can use if it starts from the same."""

    noisy: torch.Tensor  # (B, C, h, w), as the network was given them
    timestep: float
    branches: Mapping[str, torch.Tensor]  # (B, C, h, w) each

    def cut(self, windows: Windows) -> KnownPredictions:
        """Return the predictions in windows of the canvas, which were made with all of it in sight."""
        branches = {name: windows.cut(own) for name, own in self.branches.items()}
        return KnownPredictions(windows.cut(self.noisy), self.timestep, branches)

    def fits(self, noisy: torch.Tensor, timestep: torch.Tensor) -> bool:
        """Return True if these latents are those of the predictions, up to rounding."""
        alike = noisy.shape == self.noisy.shape and float(timestep) == self.timestep
        return alike and torch.allclose(noisy, self.noisy, rtol=1e-3, atol=1e-4)


@dataclass(frozen=True)
class Relevance:
    """The relevance map on the canvas, `(B, 1, h, w)` float32 in [0, 1]."""

    map: torch.Tensor
    uncertainty: torch.Tensor | None  # of the noise predictions; None for a single draw, or if attention is used
    known: KnownPredictions | None = None  # for the diffusion noise, if a level of the map has it


@dataclass(frozen=True)
class Guidance:
    """Guidance map and mask `(B, 1, H, W)` at the image's size, on the CPU."""

    map: torch.Tensor
    mask: torch.Tensor  # bool
    cells: torch.Tensor  # the mask on the canvas, (B, 1, h, w) bool
    relevance: torch.Tensor | None = None
    pseudomask: torch.Tensor | None = None
    uncertainty: torch.Tensor | None = None  # of the relevance
    known: KnownPredictions | None = None  # for the diffusion noise, if a level of the relevance map has it
    drawn: Drawn | None = None  # of the findings that are added or removed


@dataclass(frozen=True)
class Edited:
    """Denoised latents `(B, C, h, w)`, scaled."""

    latents: torch.Tensor
    twin: torch.Tensor | None = None  # the same noise denoised without the instruction
    windows: Windows | None = None  # in latent cells, outside which they are the original's; None: the whole canvas


def to_view(decoded: torch.Tensor) -> torch.Tensor:
    """Convert a decoding `(B, C, h, w)`, about [-1, 1], to a picture in [0, 1] on the CPU."""
    return (decoded.float().cpu() / 2 + 0.5).clamp(0, 1)


def to_image(latent_map: torch.Tensor, canvases: Canvases) -> torch.Tensor:
    """Resample a map on the canvases' latent cells `(B, 1, h, w)` to the picture's size, in [0, 1], on the CPU."""
    return canvases.cut(upsample(latent_map.cpu(), canvases.pixels)).clamp(0, 1)
