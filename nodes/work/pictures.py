"""Overlays, panels, and pictures shown on the nodes."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import folder_paths
import torch
from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.imaging.drawing import PAPER
from x2x_core.imaging.files import encode_png, to_values
from x2x_core.imaging.overlay import guidance_colormap, guidance_overlay, mask_contour
from x2x_core.imaging.panel import panel

from ..choices import STYLES
from .metadata import chunks
from .tensors import as_maps, from_picture, size_of, to_image, to_library, to_map

SLIDER_BEFORE, SLIDER_AFTER, SLIDER_AT = "x2x_before", "x2x_after", "x2x_at"


def preview(image: torch.Tensor, node: Any, synthetic: bool = True) -> dict[str, Any]:
    """Write an IMAGE to ComfyUI's temporary folder so that the page shows it on the node.

    Args:
        image: the IMAGE.
        node: the node class, with ComfyUI's prompt and workflow.
        synthetic: mark the files as synthetic.

    Returns:
        ComfyUI's `ui` entries.
    """
    folder, files = Path(folder_paths.get_temp_directory()), []
    folder.mkdir(parents=True, exist_ok=True)
    metadata = chunks(node, {} if synthetic else None)
    for pixels in to_library(image):
        name = f"instructx2x_{uuid.uuid4().hex}.png"
        (folder / name).write_bytes(encode_png(to_values(pixels, 8), metadata))
        files.append({"filename": name, "subfolder": "", "type": "temp"})
    return {"images": files, "animated": (False,)}


def overlays(image: torch.Tensor, guidance: torch.Tensor, mask: torch.Tensor | None, style: str) -> torch.Tensor:
    """Draw the guidance map over each radiograph, with the outline of the mask.

    Args:
        image: IMAGE; one image is used for all maps, and one map for all images.
        guidance: MASK of any size.
        mask: MASK of any size.
        style: one of `STYLES`.

    Returns:
        IMAGE.

    Raises:
        InputError: the numbers of images and maps do not match.
    """
    pixels, maps = to_library(image), as_maps(guidance, "guidance")
    batch, size = max(len(pixels), len(maps)), size_of(pixels)
    if len(pixels) not in (1, batch):
        raise InputError(f"`image` must be one, or one for each of the {batch} maps, got {len(pixels)}.")
    pixels = pixels.expand(batch, -1, -1, -1)
    maps = to_map(maps, size, batch, "guidance")
    masks = [None] * batch if mask is None else to_map(mask, size, batch, "guidance_mask")
    return torch.cat([from_picture(_overlay(*layers, style)) for layers in zip(pixels, maps, masks)])


def _overlay(image: torch.Tensor, guidance: torch.Tensor, mask: torch.Tensor | None, style: str) -> Image.Image:
    if style == STYLES[0]:
        return guidance_colormap(image, guidance, mask=mask)
    picture = guidance_overlay(image, guidance)
    return picture if mask is None else mask_contour(picture, mask)


def panels(
    before: torch.Tensor,
    after: torch.Tensor,
    guidance: torch.Tensor | None,
    mask: torch.Tensor | None,
    title: str,
) -> torch.Tensor:
    """Draw before, guidance (if connected), after and difference side by side, for each pair.

    Args:
        before: IMAGE; one is used for several of `after`.
        after: IMAGE of the same size.
        guidance: MASK of any size.
        mask: MASK of any size.
        title: above the panel.

    Returns:
        IMAGE.

    Raises:
        InputError: sizes or numbers of images do not match.
    """
    old, new = pairs(before, after)
    batch, size = len(new), size_of(new)
    maps, masks = (
        [None] * batch if values is None else to_map(values, size, batch, name)
        for values, name in ((guidance, "guidance"), (mask, "guidance_mask"))
    )
    drawn = [panel(*layers, title) for layers in zip(old, maps, masks, new)]
    common = max(one.width for one in drawn), max(one.height for one in drawn)  # labels of the scales differ
    return torch.cat([from_picture(_on_paper(one, common)) for one in drawn])


def _on_paper(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a panel with white to its right and below, up to width and height `size`."""
    sheet = Image.new("RGB", size, PAPER)
    sheet.paste(picture)
    return sheet


def pairs(before: torch.Tensor, after: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return before and after as `(B, C, H, W)`, with one before for each after.

    Raises:
        InputError: sizes or numbers of images do not match.
    """
    old, new = to_library(before, "before"), to_library(after, "after")
    if old.shape[-2:] != new.shape[-2:]:
        raise InputError(
            f"`after` must have the size of `before`, {old.shape[-1]} x {old.shape[-2]} pixels, got "
            f"{new.shape[-1]} x {new.shape[-2]}. Connect the image that was edited."
        )
    if len(old) not in (1, len(new)):
        raise InputError(f"`before` must be one image, or one for each of the {len(new)} after, got {len(old)}.")
    return old.expand(len(new), -1, -1, -1), new


def slider_pictures(before: torch.Tensor, after: torch.Tensor, node: Any) -> dict[str, Any]:
    """Return ComfyUI's `ui` entries for the slider on the node."""
    old, new = pairs(before, after)
    return {
        SLIDER_BEFORE: preview(to_image(old), node, synthetic=False)["images"],
        SLIDER_AFTER: preview(to_image(new), node)["images"],
        SLIDER_AT: change_centres(old, new),
    }


def change_centres(old: torch.Tensor, new: torch.Tensor) -> list[float]:
    """Return the centre of each change from left to right, as a share of the width; 0.5 where nothing changed.

    Args:
        old: `(B, C, H, W)`.
        new: like `old`.
    """
    weights = (new - old).abs().double().sum(dim=(1, 2))  # (B, W)
    columns = (torch.arange(weights.shape[-1], dtype=torch.float64) + 0.5) / weights.shape[-1]
    centres = (weights * columns).sum(-1) / weights.sum(-1)
    return centres.nan_to_num(0.5).tolist()
