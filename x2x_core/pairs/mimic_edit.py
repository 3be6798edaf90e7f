"""MIMIC-EDIT-INSTRUCTION as a PyTorch dataset: pairs of radiographs with the instruction between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import EPOCH, seeded_generator

from .augmentation import PAPER_AUGMENTATION, AugmentConfig, read_augmented, reverse
from .layout import read_pair, read_pooled_rows


class MimicEditInstruction(Dataset[dict[str, Any]]):
    """PyTorch dataset over a folder in the pair layout: `instructions.csv`, `past/`, `current/`.

    Each item is a dictionary with `pair`, `(2, size, size)` float32 in [0, 1], the past and the current image in grey,
    and `instruction`, its text. Both images are augmented alike, and the instruction is kept in step: a horizontal flip
    swaps left and right in both. Rotations are padded with the border pixels.

    The augmentation of an item depends only on the seed, the epoch and the index, so it is the same for any number of
    worker processes and in any order. Call `set_epoch` at the start of each epoch; the call also reaches persistent
    workers.

    Args:
        folder: contains `instructions.csv` (columns split, instruction, past_dicom_id, current_dicom_id), `past/` and
            `current/`; the ids are file names, with or without ".png" or ".jpg". The pairs of several folders are
            pooled.
        split: "train", "val", "test", or another split of the table.
        size: width and height in pixels to which the images are resized.
        augmentation: strength of the augmentation; the default is the paper's (flip 0.5, rotation 2 degrees). ``None``
            turns it off.
        seed: seed of the augmentation.

    Raises:
        InputNotFoundError: `folder` is not a dataset, or an image named in the table is missing.
        InputError: the table lacks a column, a row has an empty field, the split has no pairs, or `size` is below 1.
    """

    def __init__(
        self,
        folder: str | Path | Sequence[str | Path],
        split: str = "train",
        size: int = 512,
        augmentation: AugmentConfig | None = PAPER_AUGMENTATION,
        seed: int = 0,
    ) -> None:
        if size < 1:
            raise InputError(f"`size` must be at least 1, got {size}.")
        self.rows = read_pooled_rows([folder] if isinstance(folder, str | Path) else folder, split)
        self.size, self.augmentation, self.seed = size, augmentation, seed
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        """Current epoch, see `set_epoch`."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draw the augmentation of another epoch from now on.

        Raises:
            InputError: `epoch` is negative.
        """
        if epoch < 0:
            raise InputError(f"`epoch` must not be negative, got {epoch}.")
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        position = range(len(self))[index]
        pair, text = self.draw(position, seeded_generator(self.seed, EPOCH, self.epoch, position))
        return {"pair": pair, "instruction": text}

    def draw(self, index: int, generator: torch.Generator) -> tuple[torch.Tensor, str]:
        """Return an item augmented by `generator`: the pair `(2, size, size)` in [0, 1] and its text.

        Raises:
            InputNotFoundError: an image has been removed.
            InputError: an image cannot be decoded, or the two are not squares of the same size.
        """
        row = self.rows[index]
        if self.augmentation is None:
            return read_pair(row, self.size), row.instruction
        pair, text = read_augmented(row, self.size, self.augmentation, generator)
        return reverse(pair, text, self.augmentation.reverse, generator)
