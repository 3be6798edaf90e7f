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
        unchanged = images.pixels[index]
        return Composed(images.give_back(unchanged, mask, index, inputs.output_type), pixels=(unchanged, unchanged))
    windows = edited.windows if getattr(backbone.pipe, "safety_checker", None) is None else None
    edited = replace(edited, windows=windows)
    decoded = _decode(backbone, backbone.to_image_latents(edited.latents), windows)
    flagged = None
    if hasattr(backbone.pipe, "run_safety_checker"):
        decoded, flagged = backbone.pipe.run_safety_checker(decoded, decoded.device, encoded.conditioning.dtype)
    original = images.pixels[index]
    contrast = None if encoded.contrast is None else encoded.contrast[index]
    seen = original if contrast is None else contrast.to_model(original)
    result = _combine(backbone, inputs, encoded, seen, decoded, edited, _soften(mask, inputs))
    result = result if contrast is None else contrast.from_model(result, original)
    for number in [number for number, bad in enumerate(flagged or ()) if bad]:
        logger.warning("The safety checker objected to edit %d: it is not returned.", number)
        result[number] = original[number] if inputs.restricted else 0
    given = images.give_back(result, mask, index, inputs.output_type)
    return Composed(given, flagged, (original, images.as_given(result, inputs.output_type)))


def _decode(backbone: EditBackbone, image_latents: torch.Tensor, windows: Windows | None) -> torch.Tensor:
    """Decode the image latents of B outputs, with windows in latent cells what they show alone, and 0 elsewhere."""
    if windows is None:
        return decode(backbone, image_latents)
    return windows.scaled(backbone.geometry.cell).paste(decode(backbone, windows.cut(image_latents)))


def _soften(mask: torch.Tensor, inputs: ComposingInputs) -> torch.Tensor:
    """Return the mask `(B, 1, H, W)` with soft inner edges, float32 in [0, 1]."""
    return soft_edges(mask, [width * max(mask.shape[-2:]) for width in inputs.soft_edges])


def _combine(
    backbone: EditBackbone,
    inputs: ComposingInputs,
    encoded: Encoded,
    original: torch.Tensor,
    decoded: torch.Tensor,
    edited: Edited,
    soft_mask: torch.Tensor,
) -> torch.Tensor:
    """Return the original `(B, C, H, W)` with the edit, in [0, 1]."""
    grey = is_grey(original) & inputs.keep_grey
    if inputs.composition == "decoded":
        picture = match_channels(encoded.canvases.cut(to_view(decoded)), original.shape[1], grey)
        return compose_decoded(original, picture, soft_mask, inputs.edit_strength)
    views = encoded.views
    if edited.twin is not None:
        unchanged = _decode(backbone, backbone.to_image_latents(edited.twin), edited.windows)
    elif edited.windows is not None:
        unchanged = _decode(backbone, views.latents[encoded.view_index], edited.windows)
    else:
        unchanged = (decode(backbone, views.latents) if views.decoded is None else views.decoded)[encoded.view_index]
    change = (decoded.float() - unchanged.float()) / 2
    change = match_channels(encoded.canvases.cut(change.cpu()), original.shape[1], grey)
    shares = encoded.canvases.shares
    return compose_change(inputs.composition, original, change, soft_mask, inputs.edit_strength, shares)
