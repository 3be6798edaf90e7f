"""MIMIC-EDIT-INSTRUCTION as a PyTorch dataset: pairs of radiographs, and the instruction from one to the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import EPOCH, seeded_generator

from .augmentation import AugmentConfig, augment, reverse
from .layout import read_pair, read_rows


class MimicEditInstruction(Dataset):
    """A dataset in the published layout: `instructions.csv`, `past/`, `current/`.

    An item is a dictionary of `pair`, `(2, size, size)` float32 in [0, 1], the past and the current image in grey, and
    `instruction`, its words. Both images are varied alike, and the words with them: a horizontal flip swaps left and
    right in both. What a rotation uncovers is filled with the images' own border.

    The variation of an item depends on the seed, the epoch and the index alone, so that it is the same in any number
    of loading processes and in any order. Call `set_epoch` at the start of an epoch; it reaches loading processes that
    live on between epochs.

    Args:
        folder: holds `instructions.csv` (columns split, instruction, past_dicom_id, current_dicom_id), `past/` and
            `current/`; the ids are file names, with or without ".png" or ".jpg".
        split: "train", "val", "test", or another that the table has.
        size: pixels to a side that the images are resized to.
        augmentation: how widely items vary; the default is the paper's (flip 0.5, rotation 2 degrees). ``None``: not.
        seed: of the variation.

    Raises:
        InputNotFoundError: no such dataset, or an image that the table names is missing.
        InputError: the table lacks a column, a line lacks an entry, the split has no pairs, or `size` is below 1.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str = "train",
        size: int = 512,
        augmentation: AugmentConfig | None = AugmentConfig(),
        seed: int = 0,
    ) -> None:
        if size < 1:
            raise InputError(f"`size` must be at least 1, got {size}.")
        self.rows = read_rows(folder, split)
        self.size, self.augmentation, self.seed = size, augmentation, seed
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        """The epoch that items are drawn for."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draw items for another epoch.

        Raises:
            InputError: it is negative.
        """
        if epoch < 0:
            raise InputError(f"`epoch` must not be negative, got {epoch}.")
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        place = range(len(self))[index]
        pair, words = self.draw(place, seeded_generator(self.seed, EPOCH, self.epoch, place))
        return {"pair": pair, "instruction": words}

    def draw(self, index: int, generator: torch.Generator) -> tuple[torch.Tensor, str]:
        """An item varied by a generator's own numbers: the pair `(2, size, size)` in [0, 1] and its words.

        Raises:
            InputNotFoundError, InputError: an image is gone or unreadable, or the two are not of one square size.
        """
        row = self.rows[index]
        pair, words = read_pair(row, self.size), row.instruction
        if self.augmentation is None:
            return pair, words
        pair, words = augment(pair, words, self.augmentation, generator)
        return reverse(pair, words, self.augmentation.reverse, generator)
