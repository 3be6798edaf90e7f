"""Relevance maps for X2XRelevanceMap."""

from __future__ import annotations

import torch

from x2x_core.edit.settings import resolve_settings

from .batches import IMAGES_AT_ONCE, chunks_of, relevance_calls, seeded_generators
from .checkpoints import LoadedPipeline
from .noise_levels import read_levels
from .progress import Watch
from .sentences import page_words


def relevance_of(
    loaded: LoadedPipeline, pixels: torch.Tensor, text: str, noise_level: str, draws: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute R and its uncertainty for each image of a batch, each with the same seed.

    Words that the vocabulary lacks go to the model. Where the checkpoint recommends a crop, the map is computed on one
    around the region.

    Args:
        loaded: the checkpoint.
        pixels: `(B, C, H, W)` in [0, 1].
        text: the instruction.
        noise_level: see `noise_levels.read_levels`.
        draws: noise draws per level; 0 uses the checkpoint's recommendation.
        seed: of the noise.

    Returns:
        Both `(B, 1, H, W)` in [0, 1]; the uncertainty of a single draw is 0.
    """
    chosen = {"relevance_noise_level": read_levels(noise_level), "relevance_samples": draws or None}
    arguments = {name: value for name, value in chosen.items() if value is not None}
    with page_words():
        settings = resolve_settings(arguments, loaded.pipe.config)
    chunks = chunks_of(len(pixels))
    pipe = loaded.ready(2 * min(len(pixels), IMAGES_AT_ONCE))
    maps, uncertainties = [], []
    with page_words(), Watch(pipe, sum(relevance_calls(settings, chunk.stop - chunk.start) for chunk in chunks)):
        for chunk in chunks:
            some = pixels[chunk]
            generators = seeded_generators(seed, len(some))
            prepared = loaded.prepared.of(pipe, some, reference=False, align=settings.padding_mask_crop is not None)
            output = pipe.relevance(prepared, text, generator=generators, strict=False, **arguments)
            maps.append(output.relevance_map)
            spread = output.relevance_uncertainty
            uncertainties.append(torch.zeros_like(output.relevance_map) if spread is None else spread)
    return torch.cat(maps), torch.cat(uncertainties)
