"""Denoising, restricted to the guidance mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import torch

from x2x_core.guidance.attention.gate import AttentionGate
from x2x_core.imaging.canvases import Canvases

from .attention.switching import rse_attention
from .backbones.conditioning import IMAGE, NEITHER, TEXT, Conditioning
from .backbones.protocol import DenoisesWindows, EditBackbone, Generators, HasAttention, Schedule, TakesMask
from .background import blend
from .decoding import check_latents
from .guiding import GuidanceSteps, Guide
from .scales import Scales, image_scale_of, text_scale_of
from .state import Edited, Encoded, Guidance
from .windows import Windows, windows_around


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
    windows = _find_windows(backbone, inputs, guidance)
    if windows is None or not isinstance(backbone, DenoisesWindows):
        return _denoise_whole(backbone, inputs, encoded, guidance)
    part = _cut(backbone, encoded, windows)
    backbone.pipe._canvases = part.canvases  # for previews
    edited = _denoise_whole(backbone, inputs, part, replace(guidance, cells=windows.cut(guidance.cells)))
    twin = None if edited.twin is None else windows.paste(edited.twin, encoded.clean)
    return Edited(windows.paste(edited.latents, encoded.clean), twin, windows)


def _find_windows(backbone: EditBackbone, inputs: DenoisingInputs, guidance: Guidance) -> Windows | None:
    """Return the windows that are denoised, in latent cells; ``None``: the whole canvas."""
    if inputs.context is None or not isinstance(backbone, DenoisesWindows):
        return None
    context = -(-inputs.context // backbone.geometry.cell)
    return windows_around(guidance.cells, context, backbone.window_step)


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
    pipe = backbone.pipe
    twin_generator = _copy_generator(inputs.generator, encoded.clean.device) if inputs.twin else None
    conditioning = _restrict(backbone, encoded, guidance)
    latents, steps = _denoise_edit(backbone, inputs, encoded, guidance, conditioning)
    check_latents(latents)
    if not inputs.twin:
        return Edited(latents)
    # with an image scale of 1 the unconditional branch cancels, so it is skipped
    both = NEITHER in backbone.traits.branches and image_scale_of(pipe, inputs.scales) != 1
    conditioning = conditioning.of(IMAGE, NEITHER) if both else conditioning.of(IMAGE)
    guide, steps_begun = Guide(inputs.guidance, conditioning.branches), count()

    def predict(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        scale, step = image_scale_of(pipe, inputs.scales), next(steps_begun)
        wanted = guide.branches(step, pipe._num_timesteps, scale)
        predictions = _predict(backbone, inputs, conditioning, latents, timestep, wanted)
        if not both or guide.ended(step, pipe._num_timesteps):
            return predictions[0]
        image, neither = guide.complete(predictions)
        return neither + scale * (image - neither)

    loop = _DenoisingLoop(backbone, inputs, encoded, guidance, twin_generator)
    twin = loop.run(predict, steps=steps)
    check_latents(twin)
    return Edited(latents, twin)


def _restrict(backbone: EditBackbone, encoded: Encoded, guidance: Guidance) -> Conditioning:
    """Return the conditioning; a model that takes a mask gets the guidance mask."""
    if not isinstance(backbone, TakesMask):
        return encoded.conditioning
    mask = encoded.canvases.place(guidance.mask.float())
    return backbone.restrict(encoded.conditioning, encoded.shown, (mask > 0).float())


def _denoise_edit(
    backbone: EditBackbone,
    inputs: DenoisingInputs,
    encoded: Encoded,
    guidance: Guidance,
    conditioning: Conditioning,
) -> tuple[torch.Tensor, int]:
    """Return the edited latents and the number of steps taken: fewer than planned if a callback interrupted."""
    pipe = backbone.pipe
    branches = backbone.traits.branches
    if not inputs.scales.guide:
        branches = (TEXT,)
    chosen = conditioning.of(*branches)
    guide, steps_taken = Guide(inputs.guidance, branches), 0

    def predict(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        scale = image_scale_of(pipe, inputs.scales)
        wanted = guide.branches(steps_taken, pipe._num_timesteps, scale)
        predictions = _predict(backbone, inputs, chosen, latents, timestep, wanted)
        if len(predictions) == 1:
            return predictions[0]
        return backbone.guide(guide.complete(predictions), text_scale_of(pipe, inputs.scales), scale)

    with (
        _gated(backbone, inputs, guidance, conditioning, chosen),
        pipe.progress_bar(total=inputs.num_inference_steps) as progress_bar,
    ):

        def after_step(i: int, timestep: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
            nonlocal steps_taken, chosen
            latents, chosen = _run_callbacks(pipe, inputs, i, timestep, latents, chosen)
            steps_taken = i + 1
            if steps_taken == pipe._num_timesteps or steps_taken % inputs.schedule.order == 0:
                progress_bar.update()
            return latents

        loop = _DenoisingLoop(backbone, inputs, encoded, guidance, inputs.generator)
        return loop.run(predict, after_step), steps_taken


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


def _predict(
    backbone: EditBackbone,
    inputs: DenoisingInputs,
    conditioning: Conditioning,
    latents: torch.Tensor,
    timestep: torch.Tensor,
    branches: tuple[str, ...],
) -> tuple[torch.Tensor, ...]:
    """Predict for some of the branches of a conditioning."""
    if branches != conditioning.branches:
        conditioning = conditioning.of(*branches)
    noisy = inputs.schedule.model_input(latents, timestep)
    scale = text_scale_of(backbone.pipe, inputs.scales)
    return backbone.predict(conditioning, noisy, timestep.expand(len(latents)), scale)


class _DenoisingLoop:
    """The steps from noise to latents; a restricted edit keeps the original outside the mask.

    A restricted edit starts from the noised original, as the published code does. After every step the original, at the
    noise level of the coming step (published code: of the step just taken), is blended in outside the mask.
    """

    def __init__(
        self,
        backbone: EditBackbone,
        inputs: DenoisingInputs,
        encoded: Encoded,
        guidance: Guidance,
        generator: Generators,
    ) -> None:
        self._pipe, self._inputs, self._encoded, self._guidance = backbone.pipe, inputs, encoded, guidance
        self._generator = generator

    def run(
        self,
        predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        after_step: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
        steps: int | None = None,
    ) -> torch.Tensor:
        """Denoise the edit's noise to latents `(B, C, h, w)`, scaled.

        Args:
            predict: from latents and timestep to the prediction.
            after_step: called with step, timestep and latents after each step; returns the latents to continue with.
            steps: stop after so many of the scheduler's steps; ``None``: all, or until `_interrupt` is set.
        """
        inputs, schedule, clean = self._inputs, self._inputs.schedule, self._encoded.clean
        timesteps = schedule.start(inputs.num_inference_steps, self._encoded.canvases.cells, clean.device)
        self._pipe._num_timesteps = len(timesteps)
        latents = self._background(0) if inputs.restricted else schedule.initial(self._encoded.noise)
        for i, t in enumerate(timesteps[:steps]):
            if steps is None and self._pipe._interrupt:
                break
            latents = schedule.step(predict(latents, t), t, latents, inputs.eta, self._generator)
            if inputs.restricted:
                background = self._background(i if inputs.published else i + 1)
                latents = blend(latents, background, self._guidance.cells)
            latents = after_step(i, t, latents) if after_step else latents
        return latents

    def _background(self, index: int) -> torch.Tensor:
        return self._inputs.schedule.background(self._encoded.clean, self._encoded.noise, index)


def _run_callbacks(
    pipe: Any,
    inputs: DenoisingInputs,
    i: int,
    timestep: torch.Tensor,
    latents: torch.Tensor,
    conditioning: Conditioning,
) -> tuple[torch.Tensor, Conditioning]:
    """Call the callbacks; tensors that they return replace ours."""
    callback = inputs.callback
    if callback.function is not None:
        tensors = {"latents": latents, **conditioning.tensors}
        replaced = callback.function(pipe, i, timestep, {name: tensors[name] for name in callback.tensors}) or {}
        latents = replaced.get("latents", latents)
        conditioning = conditioning.replaced(replaced)
    if callback.legacy is not None and i % callback.legacy_steps == 0:
        callback.legacy(i // inputs.schedule.order, timestep, latents)
    return latents, conditioning


def _copy_generator(generator: Generators, device: torch.device) -> Any:
    """Return generators that draw what these (or, for ``None``, PyTorch's own) draw next, and leave these unchanged."""
    if isinstance(generator, Sequence):
        return [_copy_generator(own, device) for own in generator]
    if generator is not None:
        return torch.Generator(generator.device).set_state(generator.get_state())
    state = torch.get_rng_state() if device.type == "cpu" else torch.get_device_module(device).get_rng_state()
    return torch.Generator(device).set_state(state)
