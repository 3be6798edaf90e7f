"""The inputs of each stage, made from a checked call: each holds what the stage needs, and nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from x2x_core.anatomy.areas import area_limits
from x2x_core.anatomy.edges import EXTENT_EDGE
from x2x_core.common.errors import InputError
from x2x_core.common.seeds import EXTENT
from x2x_core.guidance.attention.tokens import PromptTokens
from x2x_core.guidance.relevance import first_level
from x2x_core.imaging.canvas import Canvas
from x2x_core.pseudomasks.given import as_guidance_mask, as_keep_mask, as_pseudomask

from .arguments import CallArguments
from .backbones.conditioning import NEITHER, PromptInputs
from .backbones.protocol import EditBackbone, Generators, Schedule
from .composing import ComposingInputs
from .denoising import DenoisingInputs, StepCallback
from .draw_checks import check_draws, check_noise
from .encoding import EncodingInputs, NoiseInputs, PartInputs
from .guiding import GuidanceSteps
from .hinting import HintingInputs
from .looking import GuidanceInputs, RelevanceInputs
from .places import place_streams
from .placing import PlacingInputs
from .prepared import PreparedImage
from .reading import Pictures, Subject
from .region import RegionInputs
from .scales import Scales
from .settings import EditSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A checked call: what the inputs of the stages are made from."""

    pictures: Pictures
    subject: Subject
    arguments: CallArguments
    settings: EditSettings
    restricted: bool
    schedule: Schedule  # the pipeline's, or the published one
    canvas: Canvas
    device: torch.device  # that the model runs on
    generator: Generators
    prepared: PreparedImage | None = None  # the pictures, if they were prepared
    films: bool = True  # pictures are taken for radiographs: grey stays grey; False with an empty atlas

    @property
    def outputs(self) -> int:
        """B, the number of outputs."""
        return len(self.subject.image_index)


def region_inputs(call: Call) -> RegionInputs | None:
    """Return the inputs of the region; ``None`` without restriction and with the caller's guidance mask.

    Raises:
        InputError: a pseudomask that does not fit.
    """
    subject, arguments, settings = call.subject, call.arguments, call.settings
    if not call.restricted or arguments.guidance_mask is not None:
        return None
    pseudomask = None
    if arguments.pseudomask is not None:
        pairs, outputs = len(subject.pairs), call.outputs
        leading = arguments.pseudomask.shape[0] if getattr(arguments.pseudomask, "ndim", 2) > 2 else 1
        count = outputs if leading == outputs else pairs
        pseudomask = as_pseudomask(arguments.pseudomask, call.pictures.size, count)
        pseudomask = pseudomask.repeat_interleave(outputs // count, dim=0)
    return RegionInputs(
        pixels=call.pictures.pixels,
        size=call.pictures.size,
        image_index=subject.pair_images,
        instructions=subject.instructions,
        copies=subject.copies,
        align=settings.align,
        localise=not settings.reference,
        pseudomask=pseudomask,
        alignments=None if call.prepared is None else call.prepared.alignments,
        drawers=None if call.prepared is None else call.prepared.drawers,
        shown=None if call.prepared is None else call.prepared.shown,
        keep=keep_mask_of(call),
        streams=_extent_streams(call),
        find_extents=call.settings.find_extent and call.pictures.images is not None,
    )


def _extent_streams(call: Call) -> list[torch.Generator] | None:
    """Return the generator that each output's extent is drawn from; ``None`` if none is drawn."""
    drawn = call.settings.draw_extent and call.settings.draw_place
    if not drawn or call.pictures.images is None:
        return None
    return place_streams(call.generator, call.outputs, EXTENT)


def hinting_inputs(call: Call, guidance_mask: torch.Tensor | None) -> HintingInputs:
    """Return the inputs of hinting.

    Args:
        call: the call.
        guidance_mask: the caller's, `(B, 1, H, W)` bool.
    """
    return HintingInputs(call.settings.place_hint if call.restricted else 0.0, guidance_mask)


def encoding_inputs(
    backbone: EditBackbone, call: Call, prompts: PromptInputs, guidance_mask: torch.Tensor | None
) -> EncodingInputs:
    """Return the inputs of encoding.

    Args:
        backbone: the model.
        call: the call.
        prompts: of the call.
        guidance_mask: the caller's, `(B, 1, H, W)` bool.

    Raises:
        InputError: given noise of another shape, or not finite.
    """
    arguments, settings = call.arguments, call.settings
    shape = (backbone.geometry.latent_channels, *call.canvas.cells)
    if arguments.latents is not None:
        check_noise("latents", arguments.latents, call.outputs, shape, draws=False)
    if arguments.relevance_noise is not None:
        check_noise("relevance_noise", arguments.relevance_noise, call.outputs, shape, draws=True)
        check_draws(arguments.relevance_noise, settings.relevance_levels)
    noise = NoiseInputs(
        call.generator,
        arguments.latents,
        arguments.relevance_noise,
        settings.relevance_levels,
        settings.relevance_samples,
        call.restricted,
        _first_level(settings),
    )
    return EncodingInputs(
        call.pictures.images,
        call.pictures.latents,
        settings.reference,
        call.subject.image_index,
        prompts,
        noise,
        call.device,
        own_contrast=call.restricted and call.films and not settings.reference,
        prepared=call.prepared,
        part=_part_inputs(backbone, call, guidance_mask),
    )


def _part_inputs(backbone: EditBackbone, call: Call, guidance_mask: torch.Tensor | None) -> PartInputs | None:
    """Return the part of the pictures that the edit looks at; ``None``: all, as latents and safety checkers do."""
    checked = getattr(backbone.pipe, "safety_checker", None) is not None
    if guidance_mask is None or checked or call.arguments.output_type == "latent":
        return None
    return PartInputs(guidance_mask, call.settings.mask_context)


def _first_level(settings: EditSettings) -> int | None:
    """Return the index of the noise level at which denoising starts; the published code draws noise of its own."""
    return None if settings.reference else first_level(settings.noise_levels)


def placing_inputs(call: Call, guidance_mask: torch.Tensor | None) -> PlacingInputs:
    """Return the inputs of placing.

    Args:
        call: the call.
        guidance_mask: the caller's, `(B, 1, H, W)` bool.
    """
    return PlacingInputs(call.canvas, call.outputs, call.settings.padding_mask_crop, guidance_mask)


def scales_of(backbone: EditBackbone, call: Call) -> Scales:
    """Return the guidance scale of each output, and of the image: 1 for a model without that branch."""
    settings = call.settings
    each = [settings.guidance_scale_for(instruction) for instruction in call.subject.output_instructions]
    return Scales(each, settings.image_guidance_scale if NEITHER in backbone.traits.branches else 1.0)


def guidance_inputs(call: Call, tokens: list[PromptTokens]) -> GuidanceInputs:
    """Return the inputs of guidance.

    Raises:
        InputError: a guidance mask that does not fit.
    """
    settings, arguments = call.settings, call.arguments
    limits = None
    if arguments.pseudomask is None:  # else the caller says how much may change
        limits = [area_limits(instruction) for instruction in call.subject.output_instructions]
    first = None if arguments.relevance_noise is not None else _first_level(settings)
    first_draw = None if first is None else first * settings.relevance_samples
    relevance = RelevanceInputs(
        call.schedule, settings.noise_levels, settings.relevance_source, tokens, call.subject.copies, first_draw
    )
    return GuidanceInputs(
        relevance, settings.mask_settings, limits, settings.reference, _guidance_mask(call), keep_mask_of(call)
    )


def _guidance_mask(call: Call) -> torch.Tensor | None:
    """Return the caller's guidance mask `(B, 1, H, W)` bool."""
    value = call.arguments.guidance_mask
    if value is None:
        return None
    mask = _for_outputs("guidance_mask", as_guidance_mask(value, call.pictures.size), call)
    if not mask.any():
        logger.warning("`guidance_mask` is empty: the image is returned unchanged.")
    keep = keep_mask_of(call)
    return mask if keep is None else mask & ~keep


def keep_mask_of(call: Call) -> torch.Tensor | None:
    """Return the caller's keep mask `(B, 1, H, W)` bool.

    Raises:
        InputError: a mask that does not fit.
    """
    value = call.arguments.keep_mask
    return None if value is None else _for_outputs("keep_mask", as_keep_mask(value, call.pictures.size), call)


def _for_outputs(name: str, mask: torch.Tensor, call: Call) -> torch.Tensor:
    """Return masks, one or one for each pair or output, as one for each output."""
    if len(mask) not in (1, len(call.subject.pairs), call.outputs):
        raise InputError(f"`{name}` must be one, or one for each of {call.outputs} images, got {len(mask)}.")
    return mask.repeat_interleave(call.outputs // len(mask), dim=0)


def denoising_inputs(call: Call, scales: Scales, callback: StepCallback) -> DenoisingInputs:
    """Return the inputs of denoising."""
    settings = call.settings
    return DenoisingInputs(
        schedule=call.schedule,
        scales=scales,
        num_inference_steps=settings.num_inference_steps,
        eta=call.arguments.eta,
        generator=call.generator,
        restricted=call.restricted,
        published=settings.reference,
        attention_gating=settings.attention_gating and call.restricted,
        twin=settings.twin and call.restricted and call.arguments.output_type != "latent",
        needed=settings.edit_strength > 0,
        callback=callback,
        context=settings.mask_context,
        guidance=GuidanceSteps(
            settings.guidance_end,
            1 if settings.attention_gating else settings.unconditional_interval,
            cancelling=settings.reference or settings.attention_gating or not call.restricted,
        ),
    )


def composing_inputs(call: Call) -> ComposingInputs:
    """Return the inputs of composing."""
    settings = call.settings
    return ComposingInputs(
        output_type=call.arguments.output_type,
        edit_strength=settings.edit_strength,
        composition=settings.composition,
        soft_edges=[settings.soft_edge_for(instruction) for instruction in call.subject.output_instructions],
        restricted=call.restricted,
        keep_grey=call.restricted and call.films and not settings.reference,
        extent_edge=EXTENT_EDGE if settings.soft_edge is None else None,
        chests=[call.films and call.pictures.radiographs[picture] for picture in call.subject.image_index],
    )
