"""Batches and seeds of runs of the pipeline."""

from __future__ import annotations

import math

import torch

from x2x_core.edit.backbones.instruct_pix2pix import RELEVANCE_BATCH
from x2x_core.edit.looking import draws_at_once
from x2x_core.edit.settings import EditSettings

IMAGES_AT_ONCE = 4


def chunks_of(batch: int) -> list[slice]:
    """Return the images of a batch that run together."""
    return [slice(start, min(start + IMAGES_AT_ONCE, batch)) for start in range(0, batch, IMAGES_AT_ONCE)]


def relevance_calls(settings: EditSettings, images: int) -> int:
    """Return the number of U-Net calls of a relevance map of `images` images."""
    return math.ceil(settings.relevance_levels * settings.relevance_samples / draws_at_once(images, RELEVANCE_BATCH))


def seeded_generators(seed: int, count: int) -> list[torch.Generator]:
    """Return a generator per image, all with the same seed."""
    return [torch.Generator().manual_seed(seed) for _ in range(count)]
