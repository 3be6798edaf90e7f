"""Edits as files with their provenance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import folder_paths
import numpy as np
import torch
from PIL import Image

from x2x_core.imaging.files import encode_png, to_values
from x2x_core.imaging.overlay import guidance_colormap
from x2x_core.imaging.panel import panel
from x2x_core.imaging.provenance import Proof, versions

from .metadata import chunks
from .pictures import pairs
from .tensors import from_picture, size_of, to_library, to_map


@dataclass(frozen=True, eq=False)
class EditRecord:
    """Facts about an edit."""

    before: torch.Tensor | None = None  # IMAGE
    instruction: str | None = None
    guidance: torch.Tensor | None = None  # MASK
    info: str | None = None  # of X2XEdit

    def metadata(self, index: int) -> dict[str, Any]:
        """Return the parameters to record for image `index` of a batch."""
        values = {"instruction": self.instruction, "edit": self.info, "image": index, "versions": versions()}
        return {name: value for name, value in values.items() if value is not None}


def save_edits(node: Any, image: torch.Tensor, prefix: str, bit_depth: int, record: EditRecord) -> list[dict[str, str]]:
    """Write each image, an overlay of its guidance map, and a panel.

    `NAME_00001_.png` is the image; with `guidance`, `NAME_00001_guidance.png` is the map over the radiograph; with
    `before`, `NAME_00001_panel.png` is the panel. All files have provenance and ComfyUI's workflow in their metadata.

    Args:
        node: the node class, with ComfyUI's prompt and workflow.
        image: IMAGE.
        prefix: as in ComfyUI's Save Image.
        bit_depth: 8 or 16.
        record: what is known of the edit.

    Returns:
        ComfyUI's `ui` entries for the files.
    """
    pixels = to_library(image)
    batch, size = len(pixels), size_of(pixels)
    originals = [None] * batch if record.before is None else pairs(record.before, image)[0]
    maps = [None] * batch if record.guidance is None else to_map(record.guidance, size, batch, "guidance")
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
        prefix, folder_paths.get_output_directory(), size[1], size[0]
    )
    saved = []
    for index, (edited, original, guidance) in enumerate(zip(pixels, originals, maps)):
        parameters = record.metadata(index)
        stem = f"{name.replace('%batch_num%', str(index))}_{counter + index:05}_"
        pictures = {"": to_values(edited, bit_depth), **_extra_pictures(edited, original, guidance, record.instruction)}
        for kind, values in pictures.items():
            path = Path(folder) / f"{stem}{kind}.png"
            path.write_bytes(encode_png(values, chunks(node, parameters, Proof(values))))
            saved.append({"filename": path.name, "subfolder": subfolder, "type": "output"})
    return saved


def _extra_pictures(
    edited: torch.Tensor, original: torch.Tensor | None, guidance: torch.Tensor | None, instruction: str | None
) -> dict[str, np.ndarray]:
    """Draw the overlay of the guidance map and the panel, as far as their inputs are connected."""
    pictures = {}
    if guidance is not None:
        pictures["guidance"] = _values(guidance_colormap(edited if original is None else original, guidance))
    if original is not None:
        pictures["panel"] = _values(panel(original, guidance, None, edited, instruction or ""))
    return pictures


def _values(picture: Image.Image) -> np.ndarray:
    return to_values(from_picture(picture)[0].permute(2, 0, 1), 8)
