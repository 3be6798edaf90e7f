"""The fourth stage of an edit: denoising, held to the original outside the mask."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch

from x2x_core.guidance.attention.gate import AttentionGate
from x2x_core.guidance.attention.switching import rse_attention
from x2x_core.guidance.cfg import BRANCHES, guided_noise

from .background import blend, noised_background
from .settings import EditSettings
from .state import Edit, Edited, Guidance, StepCallback


class EditDenoising:
    """A part of `InstructX2XPipeline`, with its U-Net, guidance scales and progress bar."""

    def _denoise(
        self,
        edit: Edit,
        found: Guidance,
        settings: EditSettings,
        restricted: bool,
        eta: float,
        callback: StepCallback,
    ) -> Edited:
        """The edited latents, and those of the twin where the settings ask for one.

        The twin is what the same noise becomes without the instruction, by the image branch alone, so that what the
        model gets wrong about the picture is wrong in both (twin networks: Balke and Pearl, *Probabilistic evaluation
        of counterfactual queries*, 1994). It is denoised for as many steps as the edit was.
        """
        clean = edit.condition * self.vae.config.scaling_factor
        self._num_timesteps = 0
        if not found.mask.any() or settings.edit_strength == 0:
            return Edited(clean)
        guided = self.do_classifier_free_guidance
        tensors = self._branches(edit, slice(BRANCHES) if guided else slice(1))
        again = _same_draws(edit.request.generator, clean.device) if settings.twin else None
        gate = _gate(edit, found, guided) if settings.attention_gating and restricted else None
        taken = 0

        def predict(latents: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return self._predict_noise(edit, latents, t, tensors, guided)

        with rse_attention(self.unet, gate=gate), self.progress_bar(total=settings.num_inference_steps) as progress_bar:

            def after(i: int, t: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
                nonlocal taken
                latents, taken = self._tell(callback, i, t, latents, tensors), i + 1
                if taken == self._num_timesteps or taken % edit.scheduler.order == 0:
                    progress_bar.update()
                return latents

            latents = self._walk(edit, found, settings, restricted, eta, edit.request.generator, predict, after)
        if not (settings.twin and restricted):
            return Edited(latents)
        # at an image scale of 1 the unconditional branch counts nothing and is left out
        without = self._branches(edit, slice(1, 2 if self.image_guidance_scale == 1 else BRANCHES))
        twin = self._walk(
            edit, found, settings, restricted, eta, again,
            lambda latents, t: self._predict_without_text(edit, latents, t, without), steps=taken,
        )  # fmt: skip
        return Edited(latents, twin)

    def _walk(
        self,
        edit: Edit,
        found: Guidance,
        settings: EditSettings,
        restricted: bool,
        eta: float,
        generator: Any,
        predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        after: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
        steps: int | None = None,
    ) -> torch.Tensor:
        """Denoise from the edit's noise: latents `(B, C, h, w)`, scaled; outside the mask's cells the original's.

        A restricted edit starts from the noised original, as the published code does, and is laid into the original at
        the noise of the coming step after every step (the published code: of the step just taken).

        Args:
            predict: latents and timestep to the predicted noise.
            after: called with step, timestep and latents after each step; gives the latents to go on with.
            steps: stop after so many of the scheduler's steps; ``None``: all, or until `interrupt` is set.
        """
        scheduler, clean = edit.scheduler, edit.condition * self.vae.config.scaling_factor
        scheduler.set_timesteps(settings.num_inference_steps, device=clean.device)
        timesteps = scheduler.timesteps
        self._num_timesteps = len(timesteps)
        if restricted:
            latents = noised_background(scheduler, clean, edit.noise, timesteps, 0)
        else:
            latents = edit.noise * scheduler.init_noise_sigma
        step_kwargs = self._step_kwargs(scheduler, generator, eta)
        for i, t in enumerate(timesteps[:steps]):
            if steps is None and self.interrupt:
                break
            latents = scheduler.step(predict(latents, t), t, latents, **step_kwargs, return_dict=False)[0]
            if restricted:
                index = i if settings.reference else i + 1
                background = noised_background(scheduler, clean, edit.noise, timesteps, index)
                latents = blend(latents, background, found.cells)
            latents = after(i, t, latents) if after else latents
        return latents

    def _branches(self, edit: Edit, chosen: slice) -> dict[str, Any]:
        """What the U-Net is led by in some of the branches [text, image, unconditional]."""
        condition = edit.condition
        images = [condition, condition, torch.zeros_like(condition)]
        embeds, *more = (
            torch.cat(one.chunk(BRANCHES)[chosen]) for one in (edit.prompt_embeds, *(edit.image_embeds or ()))
        )
        return {"prompt_embeds": embeds, "image_latents": torch.cat(images[chosen]), "image_embeds": more or None}

    def _predict_noise(
        self, edit: Edit, latents: torch.Tensor, t: torch.Tensor, tensors: dict[str, Any], guided: bool
    ) -> torch.Tensor:
        noise_pred = self._call_unet(edit, torch.cat([latents] * BRANCHES) if guided else latents, t, tensors)
        if not guided:
            return noise_pred
        return guided_noise(*noise_pred.chunk(BRANCHES), self.output_guidance_scale, self.image_guidance_scale)

    def _predict_without_text(
        self, edit: Edit, latents: torch.Tensor, t: torch.Tensor, tensors: dict[str, Any]
    ) -> torch.Tensor:
        copies = len(tensors["image_latents"]) // len(latents)
        noise_pred = self._call_unet(edit, torch.cat([latents] * copies), t, tensors)
        if copies == 1:
            return noise_pred
        image, unconditional = noise_pred.chunk(2)
        return unconditional + self.image_guidance_scale * (image - unconditional)

    def _call_unet(self, edit: Edit, latents: torch.Tensor, t: torch.Tensor, tensors: dict[str, Any]) -> torch.Tensor:
        """What the U-Net predicts for latents, one set for each branch in `tensors`."""
        scaled = edit.scheduler.scale_model_input(latents, t)
        return self.unet(
            torch.cat([scaled, tensors["image_latents"]], dim=1),
            t,
            encoder_hidden_states=tensors["prompt_embeds"],
            added_cond_kwargs={"image_embeds": tensors["image_embeds"]} if tensors["image_embeds"] else None,
            cross_attention_kwargs=edit.request.cross_attention_kwargs,
            return_dict=False,
        )[0]

    def _step_kwargs(self, scheduler: Any, generator: Any, eta: float) -> dict[str, Any]:
        """Those of `eta` and `generator` that this scheduler's step takes."""
        taken = inspect.signature(scheduler.step).parameters
        return {name: value for name, value in (("eta", eta), ("generator", generator)) if name in taken}

    def _tell(
        self, callback: StepCallback, i: int, t: torch.Tensor, latents: torch.Tensor, tensors: dict[str, Any]
    ) -> torch.Tensor:
        """Call the callbacks; what they change is taken over."""
        if callback.function is not None:
            known = {"latents": latents, **tensors}
            answer = callback.function(self, i, t, {name: known[name] for name in callback.tensors}) or {}
            latents = answer.get("latents", latents)
            tensors.update({name: answer[name] for name in ("prompt_embeds", "image_latents") if name in answer})
        if callback.legacy is not None and i % callback.legacy_steps == 0:
            callback.legacy(i // self.scheduler.order, t, latents)
        return latents


def _gate(edit: Edit, found: Guidance, guided: bool) -> AttentionGate:
    """Holds the text branch to the mask; the guidance batch brings the null text, the text branch alone does not."""
    return AttentionGate(found.cells, None if guided else edit.prompt_embeds.chunk(BRANCHES)[1])


def _same_draws(generator: Any, device: torch.device) -> Any:
    """Generators that will draw what these (or, for ``None``, PyTorch's own) draw next; those stay as they are."""
    if isinstance(generator, (list, tuple)):
        return [_same_draws(one, device) for one in generator]
    if generator is not None:
        return torch.Generator(generator.device).set_state(generator.get_state())
    state = torch.get_rng_state() if device.type == "cpu" else torch.get_device_module(device).get_rng_state()
    return torch.Generator(device).set_state(state)
