"""The door: every argument of a call is checked here, before any network runs.

The result is a `Request` with a record for each stage that holds what the stage needs, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from x2x_core.anatomy.areas import area_limits
from x2x_core.common.errors import InputError
from x2x_core.guidance.attention.switching import check_processors
from x2x_core.guidance.attention.tokens import PromptTokens, find_tokens
from x2x_core.imaging.canvas import Canvas
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.given import as_guidance_mask, as_pseudomask

from .argument_checks import check_contradictions, check_simple_arguments, read_callback
from .arguments import CallArguments, CallKwargs, EditKwargs, split_arguments
from .composing import ComposingInputs
from .denoising import DenoisingInputs, StepCallback
from .draw_checks import check_draws, check_noise, read_generators
from .encoding import EncodingInputs, NoiseInputs
from .looking import GuidanceInputs, RelevanceInputs
from .prompt_checks import check_ip_adapters, prepare_prompts, read_prompts
from .published import published_scheduler
from .reading import Pictures, Subject, read_pictures, read_subject, warn_of_untrained
from .region import RegionInputs
from .settings import EditSettings, resolve_settings
from .unet import PromptInputs, canvas_cells, check_unet

if TYPE_CHECKING:
    from x2x_core.pipeline import InstructX2XPipeline


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scales:
    """The guidance scales of a call."""

    text: list[float]  # B: s_T of each output
    image: float  # s_I


@dataclass(frozen=True)
class Request:
    """A checked call: the inputs of each stage."""

    instructions: list[Instruction]  # P
    region: RegionInputs | None  # None without restriction and with the caller's guidance mask
    encoding: EncodingInputs
    scales: Scales
    guidance: GuidanceInputs
    denoising: DenoisingInputs
    composing: ComposingInputs
    return_dict: bool


@dataclass(frozen=True)
class _Call:
    """What the parts of a request are made from."""

    pictures: Pictures
    subject: Subject
    arguments: CallArguments
    settings: EditSettings
    restricted: bool
    scheduler: Any
    canvas: Canvas

    @property
    def outputs(self) -> int:
        return len(self.subject.image_index)

    @property
    def generator(self) -> torch.Generator | list[torch.Generator] | None:
        return self.arguments.generator  # type: ignore[return-value]  # read by `read_generators`


def order_arguments(positional: Sequence[Any], image: Any, prompt: Any) -> tuple[Any, Any]:
    """Return image and prompt, given as `(image, prompt)` or as `(prompt, image=image)`.

    Raises:
        InputError: no image, or the two in another order.
        TypeError: more than two positional arguments, or an argument given twice.
    """
    if len(positional) > 2:
        raise TypeError(
            f"InstructX2XPipeline takes at most 2 positional arguments, image and prompt, got {len(positional)}."
        )
    if len(positional) == 1 and image is not None and prompt is None and _is_text(positional[0]):
        return image, positional[0]
    names = ("image", "prompt")[: len(positional)]
    for name, keyword in zip(names, (image, prompt)):
        if keyword is not None:
            raise TypeError(f"InstructX2XPipeline got `{name}` twice. Call `pipe(image, prompt)`.")
    image, prompt = (*positional, *(image, prompt)[len(positional) :])
    if image is None:
        raise InputError("`image` must be given: a radiograph to edit.")
    if prompt is not None and not _is_text(prompt) and _is_text(image):
        raise InputError(
            "`image` must come first, but it is text: call `pipe(image, prompt)` or `pipe(prompt, image=image)`."
        )
    return image, prompt


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(item, str) for item in value)
    )


def read_request(
    pipe: InstructX2XPipeline, call: CallKwargs, image: Any, prompt: Any, keywords: Mapping[str, Any]
) -> Request:
    """Check a call's arguments and prepare the inputs of its stages.

    Args:
        pipe: the pipeline.
        call: the keyword arguments that the call accepts.
        image: the caller's.
        prompt: the caller's.
        keywords: the caller's keyword arguments.

    Raises:
        InputError: an argument that can't be used; the message names it and says what to do.
        TypeError: an unknown argument.
    """
    given, arguments = split_arguments(call, keywords)
    callback = read_callback(arguments, pipe._callback_tensor_inputs)
    check_simple_arguments(arguments)
    check_contradictions(arguments, given)
    texts = read_prompts(prompt, arguments)
    made = _read_call(pipe, call, image, texts, given, arguments)
    _check_pipeline(pipe, made)
    prompts = prepare_prompts(pipe, texts, arguments, made.subject)
    tokens = _find_tokens(pipe, prompts, made)
    request = Request(
        instructions=made.subject.instructions,
        region=_region_inputs(made),
        encoding=_encoding_inputs(pipe, made, prompts),
        scales=_scales(made),
        guidance=_guidance_inputs(made, tokens),
        denoising=_denoising_inputs(made, callback),
        composing=_composing_inputs(made),
        return_dict=arguments.return_dict,
    )
    warn_of_untrained(made.subject.instructions, pipe.config["trained_findings"])
    return request


def _read_call(
    pipe: InstructX2XPipeline,
    call: CallKwargs,
    image: Any,
    texts: Sequence[str | None],
    given: Mapping[str, Any],
    arguments: CallArguments,
) -> _Call:
    """Read pictures, instructions and settings."""
    reference = given.get("reference", False)
    pictures = read_pictures(image, pipe.vae.config.latent_channels, pipe.vae_scale_factor, reference)
    region_given = arguments.pseudomask is not None or arguments.guidance_mask is not None
    subject = read_subject(
        texts,
        pictures.radiographs,
        arguments.num_images_per_prompt,
        reference=reference,
        region_given=region_given,
    )
    edits = call is EditKwargs  # a map that is looked at is always found within a region
    restricted = not edits or (arguments.restricted and (reference or region_given or not subject.names_no_region))
    settings = resolve_settings(given, pipe.config, reference, restricted)
    generator = read_generators(arguments.generator, len(subject.image_index), pipe._execution_device)
    return _Call(
        pictures,
        subject,
        replace(arguments, generator=generator),
        settings,
        restricted,
        published_scheduler(pipe.scheduler) if settings.reference else pipe.scheduler,
        _canvas(pipe, pictures, restricted),
    )


def _canvas(pipe: InstructX2XPipeline, pictures: Pictures, restricted: bool) -> Canvas:
    """Return the canvas: a square of the model's size, or the picture's own size without restriction."""
    cell = pipe.vae_scale_factor
    if pictures.images is None:
        return Canvas.own(pictures.size, max(pictures.size), cell)
    lay = Canvas.square if restricted else Canvas.own
    return lay(pictures.size, cell * canvas_cells(pipe.unet), cell)


def _check_pipeline(pipe: InstructX2XPipeline, call: _Call) -> None:
    """Check that the pipeline's parts can do what is asked."""
    check_unet(pipe.unet, pipe.vae.config.latent_channels)
    check_ip_adapters(pipe, call.arguments)
    if call.restricted and not hasattr(call.scheduler, "alphas_cumprod"):
        raise InputError(
            "`scheduler` must be one for a noise schedule with `alphas_cumprod`, such as DDIM, Euler or "
            f"DPMSolverMultistep, got {type(call.scheduler).__name__}."
        )
    if call.settings.relevance_source != "noise" or call.settings.attention_gating:
        check_processors(pipe.unet)


def _find_tokens(pipe: InstructX2XPipeline, prompts: PromptInputs, call: _Call) -> list[PromptTokens]:
    """Return the tokens of each prompt, for relevance from attention."""
    source = call.settings.relevance_source
    if source == "noise":
        return []
    if prompts.wordings is None:
        raise InputError(
            f'`relevance_source="{source}"` needs the words of the prompt, which `prompt_embeds` do not contain. Give '
            "`prompt` instead, or leave `relevance_source` out."
        )
    if not call.restricted or call.arguments.guidance_mask is not None:
        return []
    texts = pipe.maybe_convert_prompt(prompts.wordings, pipe.tokenizer)  # as encoded, with textual inversion
    instructions = call.subject.instructions
    return [find_tokens(pipe.tokenizer, text, own) for text, own in zip(texts, instructions, strict=True)]


def _region_inputs(call: _Call) -> RegionInputs | None:
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
    )


def _encoding_inputs(pipe: InstructX2XPipeline, call: _Call, prompts: PromptInputs) -> EncodingInputs:
    arguments, settings = call.arguments, call.settings
    shape = (pipe.vae.config.latent_channels, *call.canvas.cells)
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
    )
    return EncodingInputs(
        call.pictures.images,
        call.pictures.latents,
        settings.reference,
        call.canvas,
        call.subject.image_index,
        prompts,
        noise,
    )


def _scales(call: _Call) -> Scales:
    settings = call.settings
    each = [settings.guidance_scale_for(instruction) for instruction in call.subject.output_instructions]
    return Scales(each, settings.image_guidance_scale)


def _guidance_inputs(call: _Call, tokens: list[PromptTokens]) -> GuidanceInputs:
    settings, arguments = call.settings, call.arguments
    limits = None
    if arguments.pseudomask is None:  # else the caller says how much may change
        limits = [area_limits(instruction) for instruction in call.subject.output_instructions]
    relevance = RelevanceInputs(
        call.scheduler, settings.noise_levels, settings.relevance_source, tokens, call.subject.copies
    )
    return GuidanceInputs(relevance, settings.mask_settings, limits, settings.reference, _guidance_mask(call))


def _guidance_mask(call: _Call) -> torch.Tensor | None:
    """Return the caller's guidance mask `(B, 1, H, W)` bool."""
    value = call.arguments.guidance_mask
    if value is None:
        return None
    mask = as_guidance_mask(value, call.pictures.size)
    if len(mask) not in (1, len(call.subject.pairs), call.outputs):
        raise InputError(f"`guidance_mask` must be one, or one for each of {call.outputs} images, got {len(mask)}.")
    if not mask.any():
        logger.warning("`guidance_mask` is empty: the image is returned unchanged.")
    return mask.repeat_interleave(call.outputs // len(mask), dim=0)


def _denoising_inputs(call: _Call, callback: StepCallback) -> DenoisingInputs:
    settings = call.settings
    return DenoisingInputs(
        scheduler=call.scheduler,
        num_inference_steps=settings.num_inference_steps,
        eta=call.arguments.eta,
        generator=call.generator,
        restricted=call.restricted,
        published=settings.reference,
        attention_gating=settings.attention_gating and call.restricted,
        twin=settings.twin and call.restricted and call.arguments.output_type != "latent",
        needed=settings.edit_strength > 0,
        callback=callback,
    )


def _composing_inputs(call: _Call) -> ComposingInputs:
    settings = call.settings
    return ComposingInputs(
        output_type=call.arguments.output_type,
        edit_strength=settings.edit_strength,
        composition=settings.composition,
        soft_edges=[settings.soft_edge_for(instruction) for instruction in call.subject.output_instructions],
        restricted=call.restricted,
        keep_grey=call.restricted and not settings.reference,
    )
