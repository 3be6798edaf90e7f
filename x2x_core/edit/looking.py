"""Guidance: where the instruction matters to the model, and where the edit may change the image."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import torch

from x2x_core.anatomy.areas import AreaLimits
from x2x_core.guidance.attention.record import AttentionRecord
from x2x_core.guidance.attention.relevance import attention_record, join_relevance, relevance_from_attention
from x2x_core.guidance.attention.tokens import PromptTokens
from x2x_core.guidance.maps import guidance_map, guidance_mask
from x2x_core.guidance.mask_rules import find_mask
from x2x_core.guidance.mask_settings import MaskSettings
from x2x_core.guidance.relevance import (
    balance_levels,
    noise_disagreement,
    relevance_from_disagreement,
    relevance_uncertainty,
    with_neighbours,
)
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.canvases import Canvases

from .attention.layers import attention_levels
from .attention.switching import rse_attention
from .backbones.conditioning import IMAGE, TEXT, Conditioning
from .backbones.protocol import EditBackbone, HasAttention, Schedule, TakesMask
from .motion import as_a_whole
from .published import to_published_latents
from .region import Region
from .state import Encoded, Guidance, KnownPredictions, Relevance, to_image

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RelevanceInputs:
    """Inputs of the relevance map besides the encoded pictures and prompts."""

    schedule: Schedule
    noise_levels: tuple[float, ...]  # shares of the schedule, [0, 1]
    source: str  # one of `x2x_core.guidance.relevance.SOURCES`
    tokens: list[PromptTokens]  # P, of the prompts; empty for the source "noise"
    copies: int  # outputs of each pair
    first_draw: int | None = None  # of L * K, the one with the diffusion noise


@dataclass(frozen=True)
class GuidanceInputs:
    """Inputs of the guidance map and mask besides the relevance map and the region."""

    relevance: RelevanceInputs
    mask: MaskSettings
    limits: list[AreaLimits | None] | None  # B, expected areas; None with the caller's pseudomask
    published: bool  # the published arithmetic
    guidance_mask: torch.Tensor | None = None  # the caller's, (B, 1, H, W) bool
    keep: torch.Tensor | None = None  # (B, 1, H, W) bool, what must stay as it is


def draws_at_once(outputs: int, items: int) -> int:
    """Return the draws for each output in one call of the network.

    Args:
        outputs: B.
        items: the most of one call; each draw takes two, with and without the instruction.
    """
    return max(1, items // (2 * outputs))


def find_guidance(backbone: EditBackbone, inputs: GuidanceInputs, encoded: Encoded, region: Region | None) -> Guidance:
    """Find where the edit may change the image: the caller's mask, else within the region, else everywhere."""
    if inputs.guidance_mask is not None:
        mask = inputs.guidance_mask
        return Guidance(mask.float(), mask, encoded.canvases.cells_of(mask).to(encoded.noise.device))
    if region is None:
        return _everywhere(encoded)
    relevance = around_extents(find_relevance(backbone, inputs.relevance, encoded), region, encoded.canvases)
    return _find_within(region, inputs, encoded, relevance)


def _everywhere(encoded: Encoded) -> Guidance:
    """Return the guidance of an edit without restriction."""
    outputs, device = len(encoded.image_index), encoded.noise.device
    whole = torch.ones(outputs, 1, *encoded.images.size)
    cells = torch.ones(outputs, 1, *encoded.canvases.cells, dtype=torch.bool, device=device)
    return Guidance(whole, whole > 0, cells, pseudomask=whole.clone())


def _find_within(region: Region, inputs: GuidanceInputs, encoded: Encoded, relevance: Relevance) -> Guidance:
    """Return G = P * R and the mask M."""
    canvases, pseudomask = encoded.canvases, region.pseudomask
    relevance_map = to_image(relevance.map, canvases)
    guidance = guidance_map(relevance_map, pseudomask)
    if inputs.published:
        mask = guidance_mask(guidance, inputs.mask.mask_threshold)
        latent_pseudomask = to_published_latents(canvases.place(pseudomask), canvases.cells)
        cells = guidance_mask(guidance_map(relevance.map.cpu(), latent_pseudomask), inputs.mask.mask_threshold)
        mask = mask if inputs.keep is None else mask & ~inputs.keep  # at a threshold of 0, P does not restrict it
    else:
        mask = find_mask(guidance, pseudomask, inputs.mask, inputs.limits, region.parts)
        cells = canvases.cells_of(mask)
    _warn_of_empty_masks(mask, inputs.mask)
    uncertainty = None if relevance.uncertainty is None else to_image(relevance.uncertainty, canvases)
    cells = cells.to(relevance.map.device)
    return Guidance(guidance, mask, cells, relevance_map, pseudomask, uncertainty, relevance.known, region.drawn)


def around_extents(relevance: Relevance, region: Region | None, canvases: Canvases) -> Relevance:
    """Return relevance maps in which each cell has the most of its neighbours where an extent was drawn.

    What is one body, or moves, is one thing: its cells have the most of them all.
    """
    if region is None or region.drawn is None:
        return relevance
    known = region.drawn.known.to(relevance.map.device)[:, None, None, None]
    around = torch.where(known, with_neighbours(relevance.map), relevance.map)
    wholes = region.drawn.wholes
    if wholes is not None:
        around = as_a_whole(around, canvases.cells_of(wholes).to(around.device))
    return replace(relevance, map=around)


def _warn_of_empty_masks(mask: torch.Tensor, settings: MaskSettings) -> None:
    reason, remedy = "near 0", "check what was understood"
    if settings.mask_rule == "threshold":
        reason, remedy = f"under `mask_threshold` {settings.mask_threshold:g}", "lower the threshold"
    for number, empty in enumerate(~mask.flatten(1).any(dim=1)):
        if empty:
            logger.warning(
                "The guidance mask of image %d is empty: the guidance map stays %s everywhere. The image is returned "
                "unchanged; %s, or give a `pseudomask`.",
                number,
                reason,
                remedy,
            )


def find_relevance(backbone: EditBackbone, inputs: RelevanceInputs, encoded: Encoded) -> Relevance:
    """Return the relevance map R and its uncertainty, from all draws at all noise levels."""
    attended = None
    if inputs.source == "noise":
        disagreement, known = _disagreement(backbone, inputs, encoded)
    else:
        assert isinstance(backbone, HasAttention)
        record = _attention_record(backbone.unet, inputs, encoded)
        with rse_attention(backbone.unet, record):
            disagreement, known = _disagreement(backbone, inputs, encoded)
        attended = record.maps
    disagreement = disagreement.unflatten(1, (len(inputs.noise_levels), -1))
    relevance, flat = _per_canvas(inputs.source, encoded.canvases, disagreement, attended)
    for number in flat.nonzero().flatten().tolist():
        logger.warning(
            "The relevance map of image %d is flat: the instruction makes no difference to the model, so there is "
            "nothing to edit.",
            number,
        )
    return replace(relevance, known=known)


def _per_canvas(
    source: str, canvases: Canvases, disagreement: torch.Tensor, attended: torch.Tensor | None
) -> tuple[Relevance, torch.Tensor]:
    """Return the relevance maps, and `(B,)` bool, True for flat ones; padding of each canvas is left out.

    Args:
        source: one of `x2x_core.guidance.relevance.SOURCES`.
        canvases: of B outputs.
        disagreement: `(B, L, K, h, w)`.
        attended: attention maps `(B, ...)`; ``None`` for the source "noise".
    """
    groups = canvases.groups()
    if len(groups) == 1:
        return _relevance(source, canvases.each[0], disagreement, attended)
    order = torch.tensor([index for _, outputs in groups for index in outputs]).argsort().to(disagreement.device)
    found = [
        _relevance(source, canvas, disagreement[outputs], None if attended is None else attended[outputs])
        for canvas, outputs in groups
    ]
    spread = [relevance.uncertainty for relevance, _ in found if relevance.uncertainty is not None]
    maps = torch.cat([relevance.map for relevance, _ in found])[order]
    uncertainty = torch.cat(spread)[order] if spread else None
    return Relevance(maps, uncertainty), torch.cat([flat for _, flat in found])[order]


def _relevance(
    source: str, canvas: Canvas, disagreement: torch.Tensor, attended: torch.Tensor | None
) -> tuple[Relevance, torch.Tensor]:
    """Return the relevance maps of outputs on one canvas, and True for each that is flat; see `_per_canvas`."""
    valid = canvas.shown_cells().to(disagreement.device)
    balanced = balance_levels(disagreement, valid)
    relevance_map, flat = relevance_from_disagreement(balanced, valid)
    uncertainty = relevance_uncertainty(balanced, valid)
    if attended is not None:
        from_noise, uncertainty = relevance_map, None
        relevance_map, flat = relevance_from_attention(attended, canvas.cells, valid)
        if source == "both":
            relevance_map, flat = join_relevance(from_noise, relevance_map, valid)
    return Relevance(relevance_map, uncertainty), flat


def _attention_record(unet: torch.nn.Module, inputs: RelevanceInputs, encoded: Encoded) -> AttentionRecord:
    """Return the record of the text branch's attention."""
    levels = attention_levels(unet)
    return attention_record(levels, inputs.tokens, encoded.canvases.cells, encoded.noise.device, copies=inputs.copies)


def _disagreement(
    backbone: EditBackbone, inputs: RelevanceInputs, encoded: Encoded
) -> tuple[torch.Tensor, KnownPredictions | None]:
    """Return the disagreement of the predictions with and without the instruction, `(B, L * K, h, w)`.

    The predictions for the diffusion noise are returned too, if it is among the draws.
    """
    assert encoded.relevance_noise is not None
    schedule = inputs.schedule
    levels = schedule.noise_levels(inputs.noise_levels)
    noise = encoded.relevance_noise.chunk(len(levels), dim=1)  # each level has draws of its own
    clean = encoded.clean[:, None]
    noisy = torch.cat([schedule.add_noise(clean, own, level) for own, level in zip(noise, levels)], dim=1)
    level_of_draw = [level for own, level in zip(noise, levels) for _ in range(own.shape[1])]
    draws = draws_at_once(len(noisy), backbone.traits.relevance_batch)
    conditioning = _unrestricted(backbone, encoded).of(TEXT, IMAGE)
    disagreement, known = [], None
    for first in range(0, len(level_of_draw), draws):
        chunk, chunk_levels = noisy[:, first : first + draws], level_of_draw[first : first + draws]
        timesteps = torch.tensor([level.timestep for level in chunk_levels], device=noisy.device).repeat(len(noisy))
        predictions = backbone.predict(conditioning.for_draws(chunk.shape[1]), chunk.flatten(0, 1), timesteps)
        with_and_without = [prediction.unflatten(0, chunk.shape[:2]) for prediction in predictions]
        for k, level in enumerate(chunk_levels):
            text, image = (
                schedule.predicted_noise(prediction[:, k], chunk[:, k], level) for prediction in with_and_without
            )
            disagreement.append(noise_disagreement(text, image))
            if first + k == inputs.first_draw and not isinstance(backbone, TakesMask):
                branches = {name: own[:, k] for name, own in zip((TEXT, IMAGE), with_and_without)}
                known = KnownPredictions(chunk[:, k], level.timestep, branches)
    return torch.cat(disagreement, dim=1), known


def _unrestricted(backbone: EditBackbone, encoded: Encoded) -> Conditioning:
    """Return the conditioning, of a model that takes a mask with the whole canvas for it."""
    if not isinstance(backbone, TakesMask):
        return encoded.conditioning
    return backbone.restrict(encoded.conditioning, encoded.shown, torch.ones_like(encoded.shown[:, :1]))
