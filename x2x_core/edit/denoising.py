"""Denoising, restricted to the guidance mask."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from x2x_core.guidance.cfg import guided_noise

from .attention.switching import rse_attention
from .background import blend, noised_background
from .decoding import check_latents
from .state import Edited, Encoded, Guidance
from .unet import BranchInputs, all_branches, attention_gate, branches_without_text, text_branch

if TYPE_CHECKING:
    from x2x_core.pipeline import InstructX2XPipeline

Generators = torch.Generator | list[torch.Generator] | None


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

    scheduler: Any
    num_inference_steps: int
    eta: float
    generator: Generators
    restricted: bool
    published: bool  # the background has the noise of the step just taken, as in the published code
    attention_gating: bool
    twin: bool  # denoise a twin without the instruction too
    needed: bool  # False if the result is not used, with an edit strength of 0
    callback: StepCallback


def denoise(pipe: InstructX2XPipeline, inputs: DenoisingInputs, encoded: Encoded, guidance: Guidance) -> Edited:
    """Return the edited latents, and those of the twin if requested.

    The twin is the same noise denoised without the instruction, by the image branch alone, so that reconstruction
    errors occur in both (twin networks: Balke and Pearl, *Probabilistic evaluation of counterfactual queries*, 1994).
    It takes as many steps as the edit.

    Raises:
        InputError: the result is not finite.
    """
    pipe._num_timesteps = 0
    if not guidance.mask.any() or not inputs.needed:
        return Edited(encoded.clean)
    twin_generator = _copy_generator(inputs.generator, encoded.clean.device) if inputs.twin else None
    latents, steps = _denoise_edit(pipe, inputs, encoded, guidance)
    check_latents(latents)
    if not inputs.twin:
        return Edited(latents)
    branches = branches_without_text(encoded.conditioning, unconditional=pipe.image_guidance_scale != 1)

    def predict(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        # with an image scale of 1 the unconditional branch cancels, so it is skipped
        image, *rest = branches.predict(pipe, inputs.scheduler, latents, timestep)
        return rest[0] + pipe.image_guidance_scale * (image - rest[0]) if rest else image

    loop = _DenoisingLoop(pipe, inputs, encoded, guidance, twin_generator)
    twin = loop.run(predict, steps=steps)
    check_latents(twin)
    return Edited(latents, twin)


def _denoise_edit(
    pipe: InstructX2XPipeline, inputs: DenoisingInputs, encoded: Encoded, guidance: Guidance
) -> tuple[torch.Tensor, int]:
    """Return the edited latents and the number of steps taken: fewer than planned if a callback interrupted."""
    guided = pipe.do_classifier_free_guidance
    branches = all_branches(encoded.conditioning) if guided else text_branch(encoded.conditioning)
    gate = attention_gate(encoded.conditioning, guidance.cells, guided) if inputs.attention_gating else None
    steps_taken = 0

    def predict(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        predictions = branches.predict(pipe, inputs.scheduler, latents, timestep)
        if not guided:
            return predictions[0]
        text, image, uncond = predictions
        return guided_noise(text, image, uncond, pipe.output_guidance_scale, pipe.image_guidance_scale)

    with rse_attention(pipe.unet, gate=gate), pipe.progress_bar(total=inputs.num_inference_steps) as progress_bar:

        def after_step(i: int, timestep: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
            nonlocal steps_taken
            latents = _run_callbacks(pipe, inputs, i, timestep, latents, branches)
            steps_taken = i + 1
            if steps_taken == pipe._num_timesteps or steps_taken % inputs.scheduler.order == 0:
                progress_bar.update()
            return latents

        loop = _DenoisingLoop(pipe, inputs, encoded, guidance, inputs.generator)
        return loop.run(predict, after_step), steps_taken


class _DenoisingLoop:
    """The steps from noise to latents; a restricted edit keeps the original outside the mask.

    A restricted edit starts from the noised original, as the published code does. After every step the original, at the
    noise level of the coming step (published code: of the step just taken), is blended in outside the mask.
    """

    def __init__(
        self,
        pipe: InstructX2XPipeline,
        inputs: DenoisingInputs,
        encoded: Encoded,
        guidance: Guidance,
        generator: Generators,
    ) -> None:
        self._pipe, self._inputs, self._encoded, self._guidance = pipe, inputs, encoded, guidance
        self._generator = generator

    def run(
        self,
        predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        after_step: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
        steps: int | None = None,
    ) -> torch.Tensor:
        """Denoise the edit's noise to latents `(B, C, h, w)`, scaled.

        Args:
            predict: from latents and timestep to the predicted noise.
            after_step: called with step, timestep and latents after each step; returns the latents to continue with.
            steps: stop after so many of the scheduler's steps; ``None``: all, or until `interrupt` is set.
        """
        scheduler, encoded = self._inputs.scheduler, self._encoded
        scheduler.set_timesteps(self._inputs.num_inference_steps, device=encoded.clean.device)
        timesteps = scheduler.timesteps
        self._pipe._num_timesteps = len(timesteps)
        latents = self._start(timesteps)
        step_kwargs = self._step_kwargs()
        for i, t in enumerate(timesteps[:steps]):
            if steps is None and self._pipe.interrupt:
                break
            latents = scheduler.step(predict(latents, t), t, latents, **step_kwargs, return_dict=False)[0]
            if self._inputs.restricted:
                background = self._background(timesteps, i if self._inputs.published else i + 1)
                latents = blend(latents, background, self._guidance.cells)
            latents = after_step(i, t, latents) if after_step else latents
        return latents

    def _start(self, timesteps: torch.Tensor) -> torch.Tensor:
        if self._inputs.restricted:
            return self._background(timesteps, 0)
        return self._encoded.noise * self._inputs.scheduler.init_noise_sigma

    def _background(self, timesteps: torch.Tensor, index: int) -> torch.Tensor:
        return noised_background(self._inputs.scheduler, self._encoded.clean, self._encoded.noise, timesteps, index)

    def _step_kwargs(self) -> dict[str, Any]:
        """Return those of `eta` and `generator` that the scheduler's step accepts."""
        accepted = inspect.signature(self._inputs.scheduler.step).parameters
        values = {"eta": self._inputs.eta, "generator": self._generator}
        return {name: value for name, value in values.items() if name in accepted}


def _run_callbacks(
    pipe: InstructX2XPipeline,
    inputs: DenoisingInputs,
    i: int,
    timestep: torch.Tensor,
    latents: torch.Tensor,
    branches: BranchInputs,
) -> torch.Tensor:
    """Call the callbacks; tensors that they return replace ours."""
    callback = inputs.callback
    if callback.function is not None:
        tensors = {"latents": latents, **branches.tensors}
        replaced = callback.function(pipe, i, timestep, {name: tensors[name] for name in callback.tensors}) or {}
        latents = replaced.get("latents", latents)
        branches.tensors.update({name: replaced[name] for name in branches.tensors if name in replaced})
    if callback.legacy is not None and i % callback.legacy_steps == 0:
        callback.legacy(i // inputs.scheduler.order, timestep, latents)
    return latents


def _copy_generator(generator: Generators, device: torch.device) -> Any:
    """Return generators that draw what these (or, for ``None``, PyTorch's own) draw next, and leave these unchanged."""
    if isinstance(generator, Sequence):
        return [_copy_generator(own, device) for own in generator]
    if generator is not None:
        return torch.Generator(generator.device).set_state(generator.get_state())
    state = torch.get_rng_state() if device.type == "cpu" else torch.get_device_module(device).get_rng_state()
    return torch.Generator(device).set_state(state)
