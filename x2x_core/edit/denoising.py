"""Denoising, restricted to the guidance mask."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from x2x_core.guidance.attention.gate import AttentionGate
from x2x_core.imaging.canvases import Canvases

from .attention.switching import rse_attention
from .backbones.conditioning import IMAGE, NEITHER, TEXT, Conditioning
from .backbones.protocol import DenoisesWindows, EditBackbone, Generators, HasAttention, Schedule, TakesMask
from .decoding import check_latents
from .guiding import GuidanceSteps, Guide
from .scales import Scales, image_scale_of, text_scale_of
from .state import Edited, Encoded, Guidance
from .tracks import Start, Track, run
from .windowing import find_windows
from .windows import Windows


@dataclass(frozen=True)
class StepCallback:
    """Functions called after each step."""

    function: Callable[..., Any] | None = None
    tensors: tuple[str, ...] = ("latents",)
    legacy: Callable[..., Any] | None = None  # diffusers' deprecated `callback`
    legacy_steps: int = 1


@dataclass(frozen=True)
class DenoisingInputs:
    """Inputs of denoising besides the encoded pictures and prompts and the guidance mask."""

    schedule: Schedule
    scales: Scales
    num_inference_steps: int
    eta: float
    generator: Generators
    restricted: bool
    published: bool  # the background has the noise of the step just taken, as in the published code
    attention_gating: bool
    twin: bool  # denoise a twin without the instruction too
    needed: bool  # False if the result is not used, with an edit strength of 0
    callback: StepCallback
    context: int | None = None  # around the mask, pixels of the canvas, of windows that are denoised alone
    guidance: GuidanceSteps = field(default_factory=GuidanceSteps)


def denoise(backbone: EditBackbone, inputs: DenoisingInputs, encoded: Encoded, guidance: Guidance) -> Edited:
    """Return the edited latents, and those of the twin if requested.

    The twin is the same noise denoised without the instruction, by the image branch alone, so that reconstruction
    errors occur in both (twin networks: Balke and Pearl, *Probabilistic evaluation of counterfactual queries*, 1994).
    It takes as many steps as the edit.

    Raises:
        InputError: the result is not finite.
    """
    backbone.pipe._num_timesteps = 0
    if not guidance.mask.any() or not inputs.needed:
        return Edited(encoded.clean)
    windows = find_windows(backbone, inputs.context, guidance.cells)
    if windows is None or not isinstance(backbone, DenoisesWindows):
        return _denoise_whole(backbone, inputs, encoded, guidance)
    part = _cut(backbone, encoded, windows)
    backbone.pipe._canvases = part.canvases  # for previews
    known = None if guidance.known is None else guidance.known.cut(windows)
    edited = _denoise_whole(backbone, inputs, part, replace(guidance, cells=windows.cut(guidance.cells), known=known))
    twin = None if edited.twin is None else windows.paste(edited.twin, encoded.clean)
    return Edited(windows.paste(edited.latents, encoded.clean), twin, windows)


def _cut(backbone: DenoisesWindows, encoded: Encoded, windows: Windows) -> Encoded:
    """Return what denoising uses of the encoded pictures, in the windows."""
    pixels = windows.scaled(encoded.canvases.each[0].cell)
    canvases = [canvas.part(*pixels.slices(number)) for number, canvas in enumerate(encoded.canvases.each)]
    return replace(
        encoded,
        canvases=Canvases(tuple(canvases)),
        clean=windows.cut(encoded.clean),
        conditioning=backbone.cut(encoded.conditioning, windows),
        noise=windows.cut(encoded.noise),
    )


def _denoise_whole(backbone: EditBackbone, inputs: DenoisingInputs, encoded: Encoded, guidance: Guidance) -> Edited:
    """Return the edited latents of a canvas or window, and those of the twin if requested."""
    start = _start_of(inputs, encoded, guidance)
    conditioning = _restrict(backbone, encoded, guidance)
    twin = _twin_track(backbone, inputs, start, conditioning) if inputs.twin else None
    edit = _edit_track(backbone, inputs, start, conditioning)
    beside = [] if twin is None or inputs.attention_gating else [twin]  # the gate is for the edit alone
    steps = _run_edit(backbone, inputs, guidance, [edit, *beside], conditioning)
    if twin is not None and not beside:
        run(backbone, inputs.scales, [twin], conditioning, steps=steps)
    for track in (edit, twin):
        if track is not None:
            check_latents(track.latents)
    return Edited(edit.latents, None if twin is None else twin.latents)


def _start_of(inputs: DenoisingInputs, encoded: Encoded, guidance: Guidance) -> Start:
    return Start(
        clean=encoded.clean,
        noise=encoded.noise,
        cells=guidance.cells,
        canvas=encoded.canvases.cells,
        steps=inputs.num_inference_steps,
        eta=inputs.eta,
        restricted=inputs.restricted,
        published=inputs.published,
    )


def _edit_track(backbone: EditBackbone, inputs: DenoisingInputs, start: Start, conditioning: Conditioning) -> Track:
    """Return the track of the edit, which follows guidance."""
    pipe = backbone.pipe
    branches = backbone.traits.branches if inputs.scales.guide else (TEXT,)
    guide = Guide(inputs.guidance, branches)

    def combine(predictions: tuple[torch.Tensor, ...], step: int) -> torch.Tensor:
        if len(predictions) == 1:
            return predictions[0]
        scale = image_scale_of(pipe, inputs.scales)
        return backbone.guide(guide.complete(predictions), text_scale_of(pipe, inputs.scales), scale)

    return Track(start, inputs.schedule, inputs.generator, conditioning.of(*branches), guide, combine)


def _twin_track(backbone: EditBackbone, inputs: DenoisingInputs, start: Start, conditioning: Conditioning) -> Track:
    """Return the track of the twin, which follows the image branch."""
    pipe = backbone.pipe
    # with an image scale of 1 the unconditional branch cancels, so it is skipped
    both = NEITHER in backbone.traits.branches and image_scale_of(pipe, inputs.scales) != 1
    branches = (IMAGE, NEITHER) if both else (IMAGE,)
    guide = Guide(inputs.guidance, branches)

    def combine(predictions: tuple[torch.Tensor, ...], step: int) -> torch.Tensor:
        if not both or guide.ended(step, pipe._num_timesteps):
            return predictions[0]
        image, neither = guide.complete(predictions)
        return neither + image_scale_of(pipe, inputs.scales) * (image - neither)

    generator = _copy_generator(inputs.generator, start.clean.device)
    return Track(start, copy.deepcopy(inputs.schedule), generator, conditioning.of(*branches), guide, combine)


def _restrict(backbone: EditBackbone, encoded: Encoded, guidance: Guidance) -> Conditioning:
    """Return the conditioning; a model that takes a mask gets the guidance mask."""
    if not isinstance(backbone, TakesMask):
        return encoded.conditioning
    mask = encoded.canvases.place(guidance.mask.float())
    return backbone.restrict(encoded.conditioning, encoded.shown, (mask > 0).float())


def _run_edit(
    backbone: EditBackbone,
    inputs: DenoisingInputs,
    guidance: Guidance,
    tracks: list[Track],
    conditioning: Conditioning,
) -> int:
    """Denoise the edit, the first of some tracks, with callbacks and a progress bar.

    Returns:
        The number of steps taken: fewer than planned if a callback interrupted.
    """
    pipe, edit = backbone.pipe, tracks[0]
    with (
        _gated(backbone, inputs, guidance, conditioning, edit.conditioning),
        pipe.progress_bar(total=inputs.num_inference_steps) as progress_bar,
    ):

        def after_step(i: int, timestep: torch.Tensor) -> None:
            _run_callbacks(pipe, inputs, i, timestep, edit)
            if i + 1 == pipe._num_timesteps or (i + 1) % inputs.schedule.order == 0:
                progress_bar.update()

        known = None if inputs.attention_gating else guidance.known
        return run(backbone, inputs.scales, tracks, conditioning, after_step, known=known)


def _gated(
    backbone: EditBackbone,
    inputs: DenoisingInputs,
    guidance: Guidance,
    conditioning: Conditioning,
    chosen: Conditioning,
) -> Any:
    """Return a context in which cross-attention to the instruction is restricted to the mask, if that is asked for."""
    if not inputs.attention_gating:
        return nullcontext()
    assert isinstance(backbone, HasAttention)
    # where the text branch is predicted alone, the gate needs the states of the null text
    alone = chosen.branches == (TEXT,) or inputs.guidance.end < 1
    null_states = conditioning.of(IMAGE).tensors["prompt_embeds"] if alone else None
    return rse_attention(backbone.unet, gate=AttentionGate(guidance.cells, null_states))


def _run_callbacks(pipe: Any, inputs: DenoisingInputs, i: int, timestep: torch.Tensor, edit: Track) -> None:
    """Call the callbacks; tensors that they return replace the edit's."""
    callback = inputs.callback
    if callback.function is not None:
        tensors = {"latents": edit.latents, **edit.conditioning.tensors}
        replaced = callback.function(pipe, i, timestep, {name: tensors[name] for name in callback.tensors}) or {}
        edit.latents = replaced.get("latents", edit.latents)
        edit.conditioning = edit.conditioning.replaced(replaced)
    if callback.legacy is not None and i % callback.legacy_steps == 0:
        callback.legacy(i // inputs.schedule.order, timestep, edit.latents)


def _copy_generator(generator: Generators, device: torch.device) -> Any:
    """Return generators that draw what these (or, for ``None``, PyTorch's own) draw next, and leave these unchanged."""
    if isinstance(generator, Sequence):
        return [_copy_generator(own, device) for own in generator]
    if generator is not None:
        return torch.Generator(generator.device).set_state(generator.get_state())
    state = torch.get_rng_state() if device.type == "cpu" else torch.get_device_module(device).get_rng_state()
    return torch.Generator(device).set_state(state)
