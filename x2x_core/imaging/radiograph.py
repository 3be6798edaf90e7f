"""What a radiograph is once it is read, from whatever kind of file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from .kinds import DICOM, PICTURE


@dataclass(frozen=True)
class Radiograph:
    """A picture as read from a file."""

    pixels: torch.Tensor  # (1, 1, H, W) grey or (1, 3, H, W) colour, float32 in [0, 1]
    bit_depth: int  # 8 or 16: bits of a value in the file, and of a picture written from it
    mode: str  # the file's own pixels: Pillow's name ("L", "I;16", "RGBA", ...), or DICOM's ("MONOCHROME1")
    path: Path  # where it was read
    kind: str = PICTURE  # or DICOM
    notes: tuple[str, ...] = ()  # how the pixels came to be, and warnings; free of names, of files and of patients

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return tuple(self.pixels.shape[-2:])

    @property
    def record_name(self) -> str:
        """What a record calls the file: its name, but not a DICOM file's, which often is an identifier of the patient."""
        return DICOM if self.kind == DICOM else self.path.name
