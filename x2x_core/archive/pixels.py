"""Pixels of an edit in the file's own numbers: stored values inside the mask change, all others stay bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from x2x_core.common.errors import InputError
from x2x_core.imaging.dicom import StoredPicture

from .inverse_display import display_table, settled
from .pixel_grid import mask_to_file_grid, to_file_grid


@dataclass(frozen=True)
class StoredEdit:
    """An edit in the grid, bit depth and grey scale of the file that it was made from."""

    picture: StoredPicture  # the original
    dataset: Any  # of the original, with the window that it is displayed by
    before: np.ndarray  # (H, W) int32 stored values, or (H, W, 3) int32 colours
    after: np.ndarray  # like `before`
    mask: np.ndarray  # (H, W) bool: pixels that could change
    white: int  # stored value that is displayed brightest
    black: int  # stored value that is displayed darkest


def store_edit(picture: StoredPicture, edited: torch.Tensor, mask: torch.Tensor) -> StoredEdit:
    """Write an edit in a file's own numbers.

    Args:
        picture: the original, from `x2x_core.imaging.dicom.read_stored`.
        edited: `(1, C, H, W)` in [0, 1], of the size of the radiograph that was read from the file.
        mask: `(1, 1, H, W)` bool.

    Returns:
        The stored values. A pixel changes only if the mask holds all of its area and its grey differs by a level.

    Raises:
        InputError: an edit or mask of another size than the radiograph.
    """
    original = picture.radiograph(Path()).pixels
    if edited.shape != original.shape or mask.shape != (1, 1, *original.shape[2:]):
        raise InputError(
            f"`edited` and `mask` must have the radiograph's shape {tuple(original.shape)}, got {tuple(edited.shape)} "
            f"and {tuple(mask.shape)}."
        )
    difference = (edited.double() - original.double())[0].numpy().transpose(1, 2, 0)
    change = to_file_grid(difference[..., 0] if difference.shape[2] == 1 else difference, picture)
    inside = mask_to_file_grid(mask[0, 0].numpy(), picture)
    return _store_grey(picture, change, inside) if picture.is_grey else _store_colour(picture, change, inside)


def _store_grey(picture: StoredPicture, change: np.ndarray, inside: np.ndarray) -> StoredEdit:
    table, stored = display_table(picture), picture.values
    levels = np.rint(np.clip(picture.shown + change, 0, 1) * table.white).astype(np.int64)
    touched = inside & (np.rint(change * table.white) != 0) & (levels != table.of(stored))
    after = stored.copy()
    after[touched] = table.nearest(levels[touched], stored[touched])
    shown = np.where(table.usable, table.levels, -1), np.where(table.usable, table.levels, table.white + 1)
    white, black = int(shown[0].argmax()) + table.first, int(shown[1].argmin()) + table.first
    return StoredEdit(picture, settled(picture), stored, after, inside, white, black)


def _store_colour(picture: StoredPicture, change: np.ndarray, inside: np.ndarray) -> StoredEdit:
    white = 2 ** colour_bits(picture) - 1
    before = np.rint(picture.shown * white).astype(np.int32)
    after = np.rint(np.clip(picture.shown + change, 0, 1) * white).astype(np.int32)
    region = inside if before.ndim == 2 else inside[..., None]
    return StoredEdit(picture, picture.dataset, before, np.where(region, after, before), inside, white, 0)


def colour_bits(picture: StoredPicture) -> int:
    """Return the bits per channel of a colour picture: its own, or of a palette's colours those of the radiograph."""
    is_palette = picture.dataset.PhotometricInterpretation == "PALETTE COLOR"
    return picture.depth if is_palette else int(picture.dataset.BitsStored)


def before_values(picture: StoredPicture) -> np.ndarray:
    """Return a file's pixels in the numbers of `StoredEdit.before`."""
    if picture.is_grey:
        return picture.values
    return np.rint(picture.shown * (2 ** colour_bits(picture) - 1)).astype(np.int32)
