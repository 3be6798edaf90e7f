"""The place hint in ComfyUI's own samplers: noise that tells a model where a finding is to lie."""

from __future__ import annotations

import logging
from typing import Protocol

import torch

from x2x_core.common.checkpoint_layout import CELL_PIXELS
from x2x_core.edit.settings import DEFAULT, EditSettings
from x2x_core.guidance.place_hint import add_place_hint, depth_in, graded_cells
from x2x_core.guidance.relevance import with_neighbours
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.geometry import Padding

from .cropping import encoded_part
from .inputs import Latent, Model, to_batch
from .loading import SETTINGS

logger = logging.getLogger(__name__)


class Noise(Protocol):
    """ComfyUI's NOISE."""

    seed: int

    def generate_noise(self, input_latent: Latent) -> torch.Tensor:
        """Return noise of the shape of a LATENT's samples."""
        ...


def hint_strength(model: Model, strength: float) -> float:
    """Return the strength of a hint: as given, or what the checkpoint of a MODEL recommends.

    Args:
        model: the MODEL.
        strength: standard deviations of the noise; below 0: the checkpoint's recommendation.
    """
    if strength >= 0:
        return strength
    settings: EditSettings = model.get_attachment(SETTINGS) or DEFAULT
    if not settings.place_hint:
        logger.warning(
            "The checkpoint recommends no place hint, so none is given. Set its strength for a model that was trained "
            "for hints."
        )
    return settings.place_hint


def place_cells(place: torch.Tensor, cells: tuple[int, int]) -> torch.Tensor:
    """Return how much each latent cell takes part in a place.

    Args:
        place: MASK `(B, H, W)` or `(H, W)` in [0, 1], of any size; one of the picture's own size is cropped as VAE
            Encode crops it. Masks of the values 0 and 1 alone rise from their border inwards.
        cells: `(h, w)` of the latents.

    Returns:
        `(B, 1, h, w)` float32 in [0, 1], relative to the greatest; all 0 for an empty mask, which leaves the place
        open.
    """
    place = place.reshape(-1, 1, *place.shape[-2:]).float().clamp(0, 1)
    binary = ((place == 0) | (place == 1)).flatten(1).all(dim=1)[:, None, None, None]
    place = torch.where(binary, depth_in(place > 0), place)
    rows, columns = encoded_part((place.shape[-2], place.shape[-1]), cells) or (slice(None), slice(None))
    kept = place[..., rows, columns]
    pixels = CELL_PIXELS * cells[0], CELL_PIXELS * cells[1]
    placed = Canvas((kept.shape[-2], kept.shape[-1]), pixels, Padding(), CELL_PIXELS).place(kept)
    return graded_cells(placed, cells)


class HintedNoise:
    """NOISE that is shifted where a finding is to lie.

    Args:
        noise: the NOISE.
        place: MASK; see `place_cells`.
        strength: of the shift, standard deviations of the noise.
    """

    def __init__(self, noise: Noise, place: torch.Tensor, strength: float) -> None:
        self.noise = noise
        self.place = place
        self.strength = strength

    @property
    def seed(self) -> int:
        """Seed of the noise, which samplers read."""
        return self.noise.seed

    def generate_noise(self, input_latent: Latent) -> torch.Tensor:
        """Return noise of the shape of a LATENT's samples, with the hint.

        Raises:
            InputError: another number of places than of pictures.
        """
        return with_hint(self.noise.generate_noise(input_latent), self.place, self.strength)


def with_hint(noise: torch.Tensor, place: torch.Tensor, strength: float) -> torch.Tensor:
    """Return noise `(B, C, h, w)` or `(B, C, 1, h, w)` with a hint of the place.

    Raises:
        InputError: another number of places than of pictures.
    """
    cells = to_batch(place_cells(place, (noise.shape[-2], noise.shape[-1])), len(noise), "place")
    return add_place_hint(noise, cells if noise.ndim == 4 else cells.unsqueeze(2), strength)


def hinted_draws(noise: torch.Tensor, cells: torch.Tensor, strength: float) -> torch.Tensor:
    """Return the draws of a relevance map with a hint of the place.

    Args:
        noise: `(B, L, K, C, h, w)` or `(B, L, K, C, 1, h, w)`.
        cells: `(B, 1, h, w)` in [0, 1].
        strength: standard deviations of the noise.
    """
    shape = (len(cells), 1, 1, 1, *[1] * (noise.ndim - 6), *cells.shape[-2:])
    return add_place_hint(noise, cells.reshape(shape), strength)


def around_places(relevance: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """Return relevance maps `(B, 1, h, w)` that reach a cell further where a place is given, as the pipeline's do.

    Args:
        relevance: `(B, 1, h, w)`.
        cells: `(B, 1, h, w)` in [0, 1]; all 0 where the place is open.
    """
    given = cells.flatten(1).any(dim=1).to(relevance.device)[:, None, None, None]
    return torch.where(given, with_neighbours(relevance), relevance)
