"""Pictures for people: overlays, panels, and what the page shows on the nodes."""

from __future__ import annotations

import uuid
from pathlib import Path

import folder_paths
import torch

from x2x_core.common.errors import InputError
from x2x_core.imaging.files import encode_png, to_values
from x2x_core.imaging.overlay import guidance_colormap, guidance_overlay, mask_contour
from x2x_core.imaging.panel import panel

from .metadata import chunks
from .tensors import as_maps, from_picture, to_image, to_library, to_map

SLIDER_BEFORE, SLIDER_AFTER = "x2x_before", "x2x_after"


def preview(image: torch.Tensor, cls, synthetic: bool = True) -> dict:
    """Write an IMAGE to ComfyUI's temporary folder, for the page to show it on the node that made it.

    Args:
        image: the IMAGE.
        cls: the node, for its hidden prompt and workflow.
        synthetic: whether it is an edit, or shows one: the files then say so.
    """
    folder, shown = Path(folder_paths.get_temp_directory()), []
    folder.mkdir(parents=True, exist_ok=True)
    metadata = chunks(cls, {} if synthetic else None)
    for pixels in to_library(image):
        name = f"instructx2x_{uuid.uuid4().hex}.png"
        (folder / name).write_bytes(encode_png(to_values(pixels, 8), metadata))
        shown.append({"filename": name, "subfolder": "", "type": "temp"})
    return {"images": shown, "animated": (False,)}


def overlays(image: torch.Tensor, guidance: torch.Tensor, mask: torch.Tensor | None, style: str) -> torch.Tensor:
    """The guidance map over each radiograph, with the mask's outline.

    Args:
        image: IMAGE; one serves all maps, one map serves all images.
        guidance, mask: MASK of any size.
        style: "colour map" or "red".

    Returns:
        IMAGE.

    Raises:
        InputError: numbers of images and maps that don't fit.
    """
    pixels, maps = to_library(image), as_maps(guidance, "guidance")
    batch, size = max(len(pixels), len(maps)), tuple(pixels.shape[-2:])
    if len(pixels) not in (1, batch):
        raise InputError(f"`image` must be one, or one for each of the {batch} maps, got {len(pixels)}.")
    pixels = pixels.expand(batch, -1, -1, -1)
    maps = to_map(maps, size, batch, "guidance")
    masks = [None] * batch if mask is None else to_map(mask, size, batch, "guidance_mask")
    return torch.cat([from_picture(_overlay(*one, style)) for one in zip(pixels, maps, masks)])


def _overlay(image: torch.Tensor, guidance: torch.Tensor, mask: torch.Tensor | None, style: str):
    if style == "colour map":
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
    """Before, guidance (where there is one), after and difference in a row, for each pair.

    Args:
        before, after: IMAGE of one size; one `before` serves several of `after`.
        guidance, mask: MASK of any size.
        title: over the panel.

    Returns:
        IMAGE.

    Raises:
        InputError: pictures of different sizes or numbers.
    """
    old, new = pairs(before, after)
    batch, size = len(new), tuple(new.shape[-2:])
    maps, masks = (
        [None] * batch if one is None else to_map(one, size, batch, name)
        for one, name in ((guidance, "guidance"), (mask, "guidance_mask"))
    )
    drawn = [panel(b, g, m, a, title) for b, g, m, a in zip(old, maps, masks, new)]
    return torch.cat([from_picture(one) for one in drawn])


def pairs(before: torch.Tensor, after: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Before and after as `(B, C, H, W)`, one before for each after.

    Raises:
        InputError: other sizes, or numbers that don't fit.
    """
    old, new = to_library(before, "before"), to_library(after, "after")
    if old.shape[-2:] != new.shape[-2:]:
        raise InputError(
            f"`after` must be of the size of `before`, {old.shape[-1]} x {old.shape[-2]} pixels, got "
            f"{new.shape[-1]} x {new.shape[-2]}. Connect the image that was edited."
        )
    if len(old) not in (1, len(new)):
        raise InputError(f"`before` must be one image, or one for each of the {len(new)} after, got {len(old)}.")
    return old.expand(len(new), -1, -1, -1), new


def slider_pictures(before: torch.Tensor, after: torch.Tensor, cls) -> dict:
    """What the slider on the node shows."""
    old, new = pairs(before, after)
    return {
        SLIDER_BEFORE: preview(to_image(old), cls, synthetic=False)["images"],
        SLIDER_AFTER: preview(to_image(new), cls)["images"],
    }
