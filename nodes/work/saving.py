"""Edits as files that say what they are."""

from __future__ import annotations

from pathlib import Path

import folder_paths
import torch

from x2x_core.imaging.files import encode_png, to_values
from x2x_core.imaging.overlay import guidance_colormap
from x2x_core.imaging.panel import panel
from x2x_core.imaging.provenance import versions

from .metadata import chunks
from .pictures import pairs
from .tensors import from_picture, to_library, to_map


def save_edits(
    cls,
    image: torch.Tensor,
    prefix: str,
    bit_depth: int,
    before: torch.Tensor | None,
    instruction: str | None,
    guidance: torch.Tensor | None,
    info: str | None,
) -> list[dict]:
    """Write each image, and beside it the pictures of what else is known of it.

    `NAME_00001_.png` is the image; with `guidance`, `NAME_00001_guidance.png` is the map over the radiograph; with
    `before`, `NAME_00001_panel.png` is the panel. Each has the provenance and ComfyUI's workflow in its metadata.

    Args:
        cls: the node, for its hidden prompt and workflow.
        image, before: IMAGE.
        prefix: as ComfyUI's Save Image takes it.
        bit_depth: 8 or 16.
        guidance: MASK.
        instruction, info: recorded.

    Returns:
        What the page needs to show the files.
    """
    pixels = to_library(image)
    batch, size = len(pixels), tuple(pixels.shape[-2:])
    olds = [None] * batch if before is None else pairs(before, image)[0]
    maps = [None] * batch if guidance is None else to_map(guidance, size, batch, "guidance")
    folder, name, counter, below, _ = folder_paths.get_save_image_path(
        prefix, folder_paths.get_output_directory(), size[1], size[0]
    )
    saved = []
    for number, (new, old, strength) in enumerate(zip(pixels, olds, maps)):
        known = {"instruction": instruction, "edit": info, "image": number, "versions": versions()}
        metadata = chunks(cls, {name: value for name, value in known.items() if value is not None})
        stem = f"{name.replace('%batch_num%', str(number))}_{counter + number:05}_"
        pictures = {"": to_values(new, bit_depth)}
        if strength is not None:
            picture = guidance_colormap(new if old is None else old, strength)
            pictures["guidance"] = to_values(_pixels(picture), 8)
        if old is not None:
            pictures["panel"] = to_values(_pixels(panel(old, strength, None, new, instruction or "")), 8)
        for kind, values in pictures.items():
            path = Path(folder) / f"{stem}{kind}.png"
            path.write_bytes(encode_png(values, metadata))
            saved.append({"filename": path.name, "subfolder": below, "type": "output"})
    return saved


def _pixels(picture) -> torch.Tensor:
    return from_picture(picture)[0].permute(2, 0, 1)
