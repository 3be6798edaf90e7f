"""The door: every argument of a call is checked here, before any network runs.

The result is a `Request` with a record for each stage that holds what the stage needs, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.guidance.attention.tokens import PromptTokens, find_tokens
from x2x_core.imaging.canvas import Canvas
from x2x_core.language.instruction import Instruction

from .argument_checks import check_contradictions, check_refused, check_simple_arguments, read_callback
from .arguments import CallArguments, CallKwargs, EditKwargs, RelevanceKwargs, split_arguments
from .attention.switching import check_processors
from .backbones.conditioning import PromptInputs
from .backbones.instruct_pix2pix import InstructPix2Pix
from .backbones.protocol import DenoisesWindows, EditBackbone, Geometry, HasAttention
from .composing import ComposingInputs
from .denoising import DenoisingInputs
from .draw_checks import read_generators
from .editor import Editor, warn_if_slow
from .encoding import EncodingInputs
from .hinting import HintingInputs
from .looking import GuidanceInputs
from .places import draw_places
from .placing import PlacingInputs
from .prepared import PreparedImage, check_prepared
from .prompt_checks import prepare_prompts, read_prompts
from .prompt_length import check_lengths
from .reading import Pictures, read_pictures, read_subject, warn_of_untrained
from .region import RegionInputs
from .scales import Scales
from .settings import EditSettings, resolve_settings
from .stage_inputs import (
    Call,
    composing_inputs,
    denoising_inputs,
    encoding_inputs,
    guidance_inputs,
    hinting_inputs,
    placing_inputs,
    region_inputs,
    scales_of,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """A checked call: the inputs of each stage."""

    instructions: list[Instruction]  # P
    region: RegionInputs | None  # None if it is not needed: without restriction, with the caller's guidance mask
    placing: PlacingInputs
    hinting: HintingInputs
    encoding: EncodingInputs
    scales: Scales
    guidance: GuidanceInputs
    denoising: DenoisingInputs
    composing: ComposingInputs
    return_dict: bool


def order_arguments(positional: Sequence[Any], image: Any, prompt: Any) -> tuple[Any, Any]:
    """Return image and prompt, given as `(image, prompt)` or as `(prompt, image=image)`.

    Raises:
        InputError: no image, or the two in another order.
        TypeError: more than two positional arguments, or an argument given twice.
    """
    if len(positional) > 2:
        raise TypeError(f"The call takes at most 2 positional arguments, image and prompt, got {len(positional)}.")
    if len(positional) == 1 and _is_text(positional[0]) and image is not None:
        if prompt is not None:
            raise TypeError("The call got `prompt` twice. Call `pipe(prompt, image=image)`.")
        return image, positional[0]
    if len(positional) == 1 and isinstance(positional[0], str) and prompt is None and not Path(positional[0]).exists():
        raise InputError(
            f"`image` must be given: a picture to edit, but the only argument is text, {positional[0]!r:.60}. "
            "Call `pipe(prompt, image=image)`."
        )
    names = ("image", "prompt")[: len(positional)]
    for name, keyword in zip(names, (image, prompt)):
        if keyword is not None:
            raise TypeError(f"The call got `{name}` twice. Call `pipe(image, prompt)`.")
    image, prompt = (*positional, *(image, prompt)[len(positional) :])
    if image is None:
        raise InputError("`image` must be given: a picture to edit.")
    if prompt is not None and not _is_text(prompt) and _is_text(image):
        raise InputError(
            "`image` must come first, but it is text: call `pipe(image, prompt)` or `pipe(prompt, image=image)`."
        )
    return image, prompt


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(item, str) for item in value)
    )


def read_request(editor: Editor, call: CallKwargs, image: Any, prompt: Any, keywords: Mapping[str, Any]) -> Request:
    """Check a call's arguments and prepare the inputs of its stages.

    Args:
        editor: the model, with its atlas and configuration.
        call: the keyword arguments that the call accepts.
        image: the caller's.
        prompt: the caller's.
        keywords: the caller's keyword arguments.

    Raises:
        InputError: an argument that can't be used; the message names it and says what to do.
        TypeError: an unknown argument.
    """
    given, arguments = split_arguments(call, keywords)
    backbone = editor.backbone
    warn_if_slow(backbone.pipe)
    callback = read_callback(arguments, backbone.traits.callback_tensors)
    check_simple_arguments(arguments)
    check_contradictions(arguments, given)
    check_refused(backbone, keywords)
    texts = read_prompts(prompt, arguments)
    made = _read_call(editor, call, image, texts, given, arguments)
    prompts = prepare_prompts(editor.config, texts, arguments, made.subject)
    _check_model(backbone, prompts, made)
    if isinstance(backbone, InstructPix2Pix) and backbone.pipe.text_encoder is not None and prompts.wordings:
        check_lengths(backbone.pipe.tokenizer, prompts.wordings, made.subject.instructions)
    tokens = _find_tokens(backbone.pipe, prompts, made)
    scales = scales_of(backbone, made)
    guidance = guidance_inputs(made, tokens)
    needs_region = (
        call is not RelevanceKwargs
        or made.settings.padding_mask_crop is not None
        or made.settings.draw_extent
        or made.settings.find_extent
    )
    request = Request(
        instructions=made.subject.instructions,
        region=region_inputs(made) if needs_region else None,
        placing=placing_inputs(made, guidance.guidance_mask),
        hinting=hinting_inputs(made, guidance.guidance_mask),
        encoding=encoding_inputs(backbone, made, prompts, guidance.guidance_mask),
        scales=scales,
        guidance=guidance,
        denoising=denoising_inputs(made, scales, callback),
        composing=composing_inputs(made),
        return_dict=arguments.return_dict,
    )
    warn_of_untrained(made.subject.instructions, editor.config["trained_findings"])
    return request


def _read_call(
    editor: Editor,
    call: CallKwargs,
    image: Any,
    texts: Sequence[str | None],
    given: Mapping[str, Any],
    arguments: CallArguments,
) -> Call:
    """Read pictures, instructions and settings."""
    reference, backbone = given.get("reference", False), editor.backbone
    sizes = backbone.geometry
    prepared = image if isinstance(image, PreparedImage) else None
    if prepared is None:
        pictures = read_pictures(image, sizes.latent_channels, sizes.cell, reference)
    else:
        check_prepared(prepared, backbone, reference)
        pictures = prepared.pictures
    region_given = arguments.pseudomask is not None or arguments.guidance_mask is not None
    subject = read_subject(
        texts,
        pictures.radiographs,
        arguments.num_images_per_prompt,
        reference=reference,
        region_given=region_given or (call is EditKwargs and not arguments.restricted),
        strict=arguments.strict,
        parsed=bool(editor.pseudomasks.names),
    )
    edits = call is EditKwargs  # a map that is looked at is always found within a region
    region_needed = reference or region_given or arguments.keep_mask is not None or not editor.pseudomasks.names
    anywhere = subject.names_no_region and not region_needed
    restricted = not edits or (arguments.restricted and not anywhere)
    settings = resolve_settings({**given, "eta": arguments.eta}, editor.config, reference, restricted)
    settings = _without_crop_of_latents(settings, pictures, given)
    _check_extents(
        given, settings, pictures, drawable=bool(editor.pseudomasks.names) and not editor.pseudomasks.published
    )
    device = backbone.pipe._execution_device  # found by a walk over all modules, so once
    generator = read_generators(arguments.generator, len(subject.image_index), device)
    if settings.draw_place and restricted and not region_given:
        subject = draw_places(subject, editor.pseudomasks, generator)
    return Call(
        pictures,
        subject,
        arguments,
        settings,
        restricted,
        backbone.schedule(published=settings.reference, solver=settings.solver),
        whole_canvas(sizes, pictures, restricted),
        device,
        generator,
        prepared,
        films=bool(editor.pseudomasks.names),
    )


def _without_crop_of_latents(settings: EditSettings, pictures: Pictures, given: Mapping[str, Any]) -> EditSettings:
    """Return the settings; a recommended crop does not apply to image latents, which have a scale already.

    Raises:
        InputError: the caller asks for a crop of image latents.
    """
    if pictures.images is not None or settings.padding_mask_crop is None:
        return settings
    if "padding_mask_crop" in given:
        raise InputError(
            "`padding_mask_crop` must be left out with image latents, which can't be encoded again at another scale: "
            "give the picture instead."
        )
    return replace(settings, padding_mask_crop=None)


def _check_extents(given: Mapping[str, Any], settings: EditSettings, pictures: Pictures, drawable: bool) -> None:
    """Check that extents can be drawn or found if the caller asks for them; a recommendation applies where they can.

    Raises:
        InputError: they can't.
    """
    reasons = {
        "`align=False`": not settings.align,
        "image latents": pictures.images is None,
        "an atlas that is not aligned": not drawable,
    }
    undrawn = {"`draw_place=False`": not settings.draw_place, **reasons}
    for name, verb, others in (("draw_extent", "drawn with", undrawn), ("find_extent", "found with", reasons)):
        for other in [other for other, found in others.items() if found and given.get(name)]:
            raise InputError(
                f"`{name}` must be left out with {other}: extents are {verb} an aligned atlas, in the picture."
            )


def whole_canvas(sizes: Geometry, pictures: Pictures, restricted: bool) -> Canvas:
    """Return the canvas: a square of the model's size, or the picture's own size without restriction."""
    if pictures.images is None:
        if any(side % sizes.step for side in pictures.size):
            raise InputError(
                f"`image` latents must have sides that are multiples of {sizes.step // sizes.cell} for this model, got "
                f"{pictures.size[0] // sizes.cell}x{pictures.size[1] // sizes.cell}."
            )
        return Canvas.own(pictures.size, max(pictures.size), sizes.cell)
    if restricted:
        return Canvas.square(pictures.size, sizes.resolution, sizes.cell)
    return Canvas.own(pictures.size, sizes.resolution, sizes.cell, sizes.step)


def _check_model(backbone: EditBackbone, prompts: PromptInputs, call: Call) -> None:
    """Check that the model can do what is asked."""
    backbone.check(prompts)
    call.schedule.check(call.settings.num_inference_steps, call.restricted)
    if call.settings.relevance_source != "noise" or call.settings.attention_gating:
        if not isinstance(backbone, HasAttention):
            raise InputError(
                "`relevance_source` and `attention_gating` must be left out: the attention of "
                f"{type(backbone.pipe).__name__} can't be recorded or gated."
            )
        check_processors(backbone.unet)
    if call.settings.mask_context is not None and not isinstance(backbone, DenoisesWindows):
        raise InputError(
            f"`mask_context` must be left out: {type(backbone.pipe).__name__} can't denoise a part of its canvas."
        )


def _find_tokens(pipe: Any, prompts: PromptInputs, call: Call) -> list[PromptTokens]:
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
