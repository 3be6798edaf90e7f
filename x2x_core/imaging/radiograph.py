"""A radiograph read from a file of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .kinds import DICOM, PICTURE


@dataclass(frozen=True)
class Radiograph:
    """Radiograph read from a file."""

    pixels: torch.Tensor  # (1, 1, H, W) grey or (1, 3, H, W) colour, float32 in [0, 1]
    bit_depth: int  # 8 or 16: bits per value in the file, and in a picture written from it
    mode: str  # of the file's pixels: Pillow's name ("L", "I;16", "RGBA", ...), or DICOM's ("MONOCHROME1")
    path: Path  # of the file
    kind: str = PICTURE  # or DICOM, NIFTI, NUMPY
    notes: tuple[str, ...] = ()  # how the pixels were obtained, and warnings; without names of files or patients
    white: int | None = None  # the file's number for white; None: the greatest of its depth

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[-2], self.pixels.shape[-1]

    @property
    def record_name(self) -> str:
        """Name of the file in records; "DICOM" for DICOM files, whose names often identify the patient."""
        return DICOM if self.kind == DICOM else self.path.name


def to_pixels(values: np.ndarray, white: float) -> torch.Tensor:
    """Scale `(H, W)` or `(H, W, C)` numbers to pixels `(1, C, H, W)` float32 in [0, 1], with `white` as 1."""
    full = values[..., None] if values.ndim == 2 else values
    scaled = full.astype(np.float32) / np.float32(white)
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))[None]
