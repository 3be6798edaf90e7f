"""Composing: the edited latents are decoded and combined with the original."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import torch

from x2x_core.imaging.soft import soft_edges

from .backbones.protocol import EditBackbone
from .composition import (
    compose_change,
    compose_decoded,
    interpolate_latents,
    is_grey,
    match_channels,
)
from .decoding import decode
from .drawn import Drawn
from .drawn_change import compose_drawn
from .state import Edited, Encoded, Guidance, to_view
from .windows import Windows

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ComposingInputs:
    """Settings for combining the edit with the original, and the form of the result."""

    output_type: str  # one of `x2x_core.imaging.inputs.OUTPUT_TYPES`
    edit_strength: float  # [0, 1]
    composition: str  # one of `x2x_core.edit.settings.COMPOSITIONS`
    soft_edges: list[float]  # B, widths of the mask's soft inner edge, share of the longer side
    restricted: bool
    keep_grey: bool  # grey pictures stay grey
    chests: list[bool]  # B: True for pictures that are taken for chest radiographs
    extent_edge: float | None = None  # width of the edge around an extent; None: that of other masks


@dataclass(frozen=True)
class Composed:
    """The result of an edit."""

    images: Any  # in the caller's form, or latents
    nsfw_content_detected: list[bool] | None = None
    # The originals and the results, (B, C, H, W) in [0, 1]; None for latents
    pixels: tuple[torch.Tensor, torch.Tensor] | None = None


def compose(
    backbone: EditBackbone, inputs: ComposingInputs, encoded: Encoded, guidance: Guidance, edited: Edited
) -> Composed:
    """Return the edited pictures in the requested form, or the final latents.

    Raises:
        InputError: the decoder's output is not finite.
    """
    if inputs.output_type == "latent":
        return Composed(interpolate_latents(encoded.clean, edited.latents, inputs.edit_strength))
    images, index = encoded.images, encoded.image_index
    mask = guidance.mask if inputs.edit_strength > 0 else torch.zeros_like(guidance.mask)
    if not mask.any():
        same = images.pixels[index]
        return Composed(images.give_back(same, mask, index, inputs.output_type), pixels=(same, same))
    windows = edited.windows if getattr(backbone.pipe, "safety_checker", None) is None else None
    edited = replace(edited, windows=windows)
    decoded, twin = _decode_edited(backbone, edited)
    flagged = None
    if hasattr(backbone.pipe, "run_safety_checker"):
        decoded, flagged = backbone.pipe.run_safety_checker(decoded, decoded.device, encoded.conditioning.dtype)
    original = images.pixels[index]
    contrast = None if encoded.contrast is None else encoded.contrast[index]
    seen = original if contrast is None else contrast.to_model(original)
    unchanged = None if inputs.composition == "decoded" else _unchanged(backbone, encoded, edited, twin)
    soft_mask = _soften(mask, inputs, guidance.drawn)
    result = _combine(inputs, encoded, seen, decoded, unchanged, soft_mask, guidance.drawn)
    result = result if contrast is None else contrast.from_model(result, original)
    for number in [number for number, bad in enumerate(flagged or ()) if bad]:
        logger.warning("The safety checker objected to edit %d: it is not returned.", number)
        result[number] = original[number] if inputs.restricted else 0
    given = images.give_back(result, mask, index, inputs.output_type)
    return Composed(given, flagged, (original, images.as_given(result, inputs.output_type)))


def _decode_edited(backbone: EditBackbone, edited: Edited) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Decode the edited latents and those of the twin: of a single output in one call, of several one after the other.

    Several outputs at once keep the decoder busy already, and need as much memory as it has for them.
    """
    if edited.twin is None:
        return _decode(backbone, backbone.to_image_latents(edited.latents), edited.windows), None
    if len(edited.latents) == 1:
        both = backbone.to_image_latents(torch.cat([edited.latents, edited.twin]))
        decoded, twin = _decode(backbone, both, edited.windows).chunk(2)
        return decoded, twin
    decoded, twin = (
        _decode(backbone, backbone.to_image_latents(own), edited.windows) for own in (edited.latents, edited.twin)
    )
    return decoded, twin


def _unchanged(backbone: EditBackbone, encoded: Encoded, edited: Edited, twin: torch.Tensor | None) -> torch.Tensor:
    """Return the decoding that a change is taken from: the twin's, else the original's."""
    views = encoded.views
    if twin is not None:
        return twin
    if edited.windows is not None:
        return _decode(backbone, views.latents[encoded.view_index], edited.windows)
    return (decode(backbone, views.latents) if views.decoded is None else views.decoded)[encoded.view_index]


def _decode(backbone: EditBackbone, image_latents: torch.Tensor, windows: Windows | None) -> torch.Tensor:
    """Decode image latents of B outputs, or of n times as many; with windows (latent cells) these alone, else 0."""
    if windows is None:
        return decode(backbone, image_latents)
    return windows.scaled(backbone.geometry.cell).paste(decode(backbone, windows.cut(image_latents)))


def _soften(mask: torch.Tensor, inputs: ComposingInputs, drawn: Drawn | None) -> torch.Tensor:
    """Return the mask `(B, 1, H, W)` with soft inner edges, float32 in [0, 1]."""
    widths = list(inputs.soft_edges)
    if drawn is not None and inputs.extent_edge is not None:
        known = drawn.known.tolist()
        widths = [inputs.extent_edge if around else width for around, width in zip(known, widths, strict=True)]
    return soft_edges(mask, [width * max(mask.shape[-2:]) for width in widths])


def _combine(
    inputs: ComposingInputs,
    encoded: Encoded,
    original: torch.Tensor,
    decoded: torch.Tensor,
    unchanged: torch.Tensor | None,
    soft_mask: torch.Tensor,
    drawn: Drawn | None = None,
) -> torch.Tensor:
    """Return the original `(B, C, H, W)` with the edit, in [0, 1]; without an unchanged decoding the edit's own."""
    grey = is_grey(original) & inputs.keep_grey
    if unchanged is None:
        picture = match_channels(encoded.canvases.cut(to_view(decoded)), original.shape[1], grey)
        return compose_decoded(original, picture, soft_mask, inputs.edit_strength)
    change = (decoded.float() - unchanged.float()) / 2
    change = match_channels(encoded.canvases.cut(change.cpu()), original.shape[1], grey)
    shares = encoded.canvases.shares
    if drawn is not None:
        cells = max(encoded.canvases.cells)
        return compose_drawn(
            inputs.composition, original, change, soft_mask, drawn, cells, inputs.edit_strength, shares
        )
    return compose_change(inputs.composition, original, change, soft_mask, inputs.edit_strength, shares)
