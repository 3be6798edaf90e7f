"""Pairs encoded beforehand: several augmented variants of each, on disk.

Encoding takes half of a training step on a small machine; an encoded variant is read in no time.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import CACHE, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.pairs.augmentation import AugmentConfig, augment
from x2x_core.pairs.layout import Row, read_pair

from .autoencoder import encode

#: A difference of this much grey counts as a full change in the loss weight.
FULL_CHANGE = 0.12
#: Most that a latent counts in a balanced weight.
MOST_BALANCED = 8.0


def change_weight(pair: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """How much each latent differs between past and current.

    Args:
        pair: `(2, H, W)` in [0, 1].
        size: of the latents.

    Returns:
        `(1, h, w)` in [0, 1]: 1 where the mean absolute difference is `FULL_CHANGE` or more.
    """
    difference = (pair[1] - pair[0]).abs()[None]
    return (F.adaptive_avg_pool2d(difference, size) / FULL_CHANGE).clamp(max=1)


def balanced(weight: torch.Tensor, power: float) -> torch.Tensor:
    """Raise the weights of pairs that differ faintly.

    A squared error shrinks with the square of what is to be learnt, so that a pneumothorax, a fifth as bright a change
    as a pleural effusion, is hardly seen in the loss. Each pair's weight is divided by a power of its strength, the
    mean of its weights counted by themselves: `sum w^2 / sum w`.

    Args:
        weight: `(B, 1, h, w)` in [0, 1], of `change_weight`.
        power: 0 leaves the weights as they are, 1 lets every changed place count alike, more favours faint changes.

    Returns:
        `(B, 1, h, w)` in [0, `MOST_BALANCED`].
    """
    strength = weight.square().sum((1, 2, 3), keepdim=True) / weight.sum((1, 2, 3), keepdim=True).clamp_min(1e-6)
    return (weight / strength.clamp_min(1e-3) ** power).clamp(max=MOST_BALANCED)


class LatentCache:
    """Encoded variants of the pairs of a dataset, in memory-mapped arrays; made where they are not there yet."""

    def __init__(self, folder: Path, count: int, variants: int, latent_size: int) -> None:
        self.folder, self.count, self.variants = folder, count, variants
        shape = (count, variants, 2, 4, latent_size, latent_size)
        self._latents = self._open("latents.npy", shape, np.float16)
        self._weights = self._open("weights.npy", (count, variants, latent_size, latent_size), np.float16)
        self._words = folder / "instructions.json"

    def _open(self, name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / name
        if not file.is_file():
            np.lib.format.open_memmap(file.with_suffix(".tmp"), "w+", dtype, shape).flush()
            os.replace(file.with_suffix(".tmp"), file)
        array = np.lib.format.open_memmap(file, "r+")
        if array.shape != shape:
            raise InputError(
                f"`{file}` must hold encoded pairs of shape {shape}, got {array.shape}. Delete the folder."
            )
        return array

    def build(self, vae: AutoencoderKL, rows: list[Row], augmentation: AugmentConfig, size: int, seed: int):
        """Encode all that is not yet encoded."""
        words = json.loads(self._words.read_text()) if self._words.is_file() else []
        for index in range(len(words), self.count):
            words.append(self._encode_row(vae, rows[index], augmentation, size, seed, index))
            if index % 50 == 49 or index + 1 == self.count:
                self._latents.flush()
                self._weights.flush()
                write_text(self._words, json.dumps(words))
        self.words = words

    def _encode_row(self, vae, row: Row, augmentation: AugmentConfig, size: int, seed: int, index: int) -> list[str]:
        pair, words, varied = read_pair(row, size), [], []
        for variant in range(self.variants):
            generator = seeded_generator(seed, CACHE, index * self.variants + variant)
            images, text = augment(pair, row.instruction, augmentation, generator)
            varied.append(images)
            words.append(text)
        stacked = torch.stack(varied)
        device = next(vae.parameters()).device
        latents = encode(vae, stacked.flatten(0, 1)[:, None].to(device)).unflatten(0, (self.variants, 2)).cpu().float()
        self._latents[index] = latents.numpy().astype(np.float16)
        for variant, images in enumerate(varied):
            self._weights[index, variant] = change_weight(images, latents.shape[-2:])[0].numpy()
        return words

    def __getitem__(self, place: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor, str]:
        """Latents `(2, 4, h, w)`, weight `(1, h, w)` and the instruction of one variant."""
        index, variant = place
        latents = torch.from_numpy(self._latents[index, variant].astype(np.float32))
        weight = torch.from_numpy(self._weights[index, variant].astype(np.float32))[None]
        return latents, weight, self.words[index][variant]
