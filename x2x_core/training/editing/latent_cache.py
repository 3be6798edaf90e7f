"""Cache of encoded pairs on disk, with several augmented variants of each.

Encoding takes half of a training step on a small machine; an encoded variant is read in negligible time.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from x2x_core.common.checkpoint_layout import LATENT_CHANNELS
from x2x_core.common.errors import InputError
from x2x_core.common.seeds import CACHE, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.pairs.augmentation import AugmentConfig, augment_to
from x2x_core.pairs.layout import Row, read_pair

from ..autoencoder.coding import encode
from .loss_weights import change_weight

_FLUSH_EVERY = 50  # pairs


@dataclass(frozen=True)
class CacheSettings:
    """Data and settings that determine the encoded variants, together with the autoencoder."""

    rows: list[Row]
    variants: int  # of each pair
    augmentation: AugmentConfig
    size: int  # image side in pixels
    latent_size: int  # latent side
    seed: int


class LatentCache:
    """Encoded variants of the pairs of a dataset, in memory-mapped arrays.

    Args:
        folder: where the arrays are; those that are missing are created empty.
        settings: data and settings of the variants.

    Raises:
        InputError: the folder holds arrays of another shape.
    """

    def __init__(self, folder: Path, settings: CacheSettings) -> None:
        self.folder, self.settings = folder, settings
        self.instructions: list[list[str]] = []
        side, shape = settings.latent_size, (len(settings.rows), settings.variants)
        self._latents = self._open("latents.npy", (*shape, 2, LATENT_CHANNELS, side, side))
        self._weights = self._open("weights.npy", (*shape, side, side))
        self._instructions_file = folder / "instructions.json"

    def _open(self, name: str, shape: tuple[int, ...]) -> np.memmap:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / name
        if not file.is_file():
            np.lib.format.open_memmap(file.with_suffix(".tmp"), "w+", np.dtype(np.float16), shape).flush()
            os.replace(file.with_suffix(".tmp"), file)
        array = np.lib.format.open_memmap(file, "r+")
        if array.shape != shape:
            raise InputError(
                f"`{file}` must hold encoded pairs of shape {shape}, got {array.shape}. Delete the folder."
            )
        return array

    def build(self, vae: AutoencoderKL) -> None:
        """Encode all pairs that are not encoded yet; can be interrupted and continued."""
        file = self._instructions_file
        done: list[list[str]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
        count = len(self.settings.rows)
        for index in range(len(done), count):
            done.append(self._encode_row(vae, index))
            if index % _FLUSH_EVERY == _FLUSH_EVERY - 1 or index + 1 == count:
                self._latents.flush()
                self._weights.flush()
                write_text(file, json.dumps(done))
        self.instructions = done

    def _encode_row(self, vae: AutoencoderKL, index: int) -> list[str]:
        """Encode the variants of one pair; return their instructions."""
        settings = self.settings
        row = settings.rows[index]
        pair = read_pair(row, None)
        variants = []
        for variant in range(settings.variants):
            generator = seeded_generator(settings.seed, CACHE, index * settings.variants + variant)
            variants.append(augment_to(pair, row.instruction, settings.size, settings.augmentation, generator))
        images = torch.stack([image for image, _ in variants])
        grey = images.flatten(0, 1)[:, None].to(next(vae.parameters()).device)
        latents = encode(vae, grey).unflatten(0, (settings.variants, 2)).cpu().float()
        self._latents[index] = latents.numpy().astype(np.float16)
        height, width = latents.shape[-2:]
        for variant, (image, _) in enumerate(variants):
            self._weights[index, variant] = change_weight(image, (height, width))[0].numpy()
        return [text for _, text in variants]

    def __getitem__(self, place: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor, str]:
        """Return latents `(2, 4, h, w)`, change weight `(1, h, w)` and the instruction of (pair, variant)."""
        index, variant = place
        latents = torch.from_numpy(self._latents[index, variant].astype(np.float32))
        weight = torch.from_numpy(self._weights[index, variant].astype(np.float32))[None]
        return latents, weight, self.instructions[index][variant]
