"""A keep mask from a file, and what a record says of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.files import read_image
from x2x_core.imaging.provenance import sha256_file
from x2x_core.imaging.radiograph import Radiograph
from x2x_core.pseudomasks.given import as_keep_mask


@dataclass(frozen=True, eq=False)
class KeepMaskFile:
    """A mask of what must stay as it is, with its file."""

    path: Path
    mask: torch.Tensor  # (1, 1, H, W) bool

    @classmethod
    def read(cls, path: Path, size: tuple[int, int]) -> KeepMaskFile:
        """Read a mask of the input's size.

        Raises:
            InputNotFoundError: there is no such file.
            InputError: no picture, or one of another size.
        """
        if not os.path.exists(path):
            raise InputNotFoundError(
                f"`keep_mask` must be a picture of the input's size, but there is no file `{path}`."
            )
        try:
            picture = read_image(path)
        except InputError as error:
            raise InputError(f"`keep_mask` must be a picture, such as a PNG file: {error}") from error
        return cls.of(picture, size)

    @classmethod
    def of(cls, picture: Radiograph, size: tuple[int, int]) -> KeepMaskFile:
        """Return a picture that was read as a mask; what is not black in it, and not transparent, stays.

        Raises:
            InputError: another size than the input's.
        """
        return cls(picture.path, as_keep_mask(picture.pixels.amax(1, keepdim=True), size))

    def as_dict(self) -> dict[str, Any]:
        """Return file name, hash and share of the image for a record."""
        return {"file": self.path.name, "sha256": sha256_file(self.path), "share": float(self.mask.float().mean())}
