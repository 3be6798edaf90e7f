"""InstructPix2Pix's guidance with two scales, held to a region, as a GUIDER for SamplerCustomAdvanced."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import comfy.sampler_helpers
import comfy.samplers
import torch

from x2x_core.common.errors import InputError
from x2x_core.edit.background import blend

from .inputs import bool_mask, check_model, image_samples, mask_cells, to_batch, with_image, without_image

logger = logging.getLogger(__name__)

# At a model's highest noise level ComfyUI takes the start for noise alone and adds more of it, unless the level is
# lower by more than 1e-5 of itself. A region's start is the noised image, so it starts that much lower.
START_BELOW = 2e-5


def region_guider(
    model: Any,
    positive: Any,
    negative: Any,
    image_latent: dict[str, Any],
    scales: tuple[float, float],
    guidance_mask: torch.Tensor | None,
) -> RegionGuider:
    """A guider that edits an image where a mask is.

    Args:
        model: MODEL of InstructPix2Pix.
        positive: CONDITIONING of the instruction.
        negative: CONDITIONING of an empty text.
        image_latent: LATENT of the image.
        scales: how strongly the instruction and the image are followed.
        guidance_mask: MASK `(B, H, W)`, may change from one half on; ``None`` is everywhere.

    Raises:
        InputError: another model, or latents of another one.
    """
    check_model(model)
    samples = image_samples(image_latent, model, "image_latent")
    cells = None if guidance_mask is None else mask_cells(bool_mask(guidance_mask), tuple(samples.shape[-2:]))
    if cells is not None and not cells.any():
        logger.warning("`guidance_mask` is empty: the image is given back unchanged.")
    guider = RegionGuider(model, scales, samples, cells)
    guider.set_conds(positive, negative)
    return guider


class RegionGuider(comfy.samplers.CFGGuider):
    """Classifier-free guidance with two scales; outside the region the latents stay the image's, bit for bit."""

    def __init__(
        self, model_patcher: Any, scales: tuple[float, float], image: torch.Tensor, cells: torch.Tensor | None
    ) -> None:
        """Args:
        model_patcher: MODEL.
        scales: of the instruction and of the image.
        image: its latents `(B, C, h, w)`, unscaled.
        cells: `(B, 1, h, w)` bool, where the instruction counts and the latents may change; ``None`` is everywhere.
        """
        super().__init__(model_patcher)
        self.scales = scales
        self.image = image
        self.cells = cells

    def set_conds(self, positive: Any, negative: Any) -> None:
        """The branches of InstructPix2Pix: text and image, image alone, neither."""
        self.inner_set_conds(
            {
                "positive": with_image(positive, self.image),
                "negative": with_image(negative, self.image),
                "unconditional": without_image(negative),
            }
        )

    def sample(
        self,
        noise: torch.Tensor,
        latent_image: torch.Tensor,
        sampler: Any,
        sigmas: torch.Tensor,
        denoise_mask: torch.Tensor | None = None,
        callback: Callable | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> torch.Tensor:
        """ComfyUI's call: denoise `latent_image` inside the region, and the image's own latents outside it.

        Raises:
            InputError: `latent_image` is of another size or batch than the image.
        """
        image = self._image_for(latent_image)
        if self.cells is not None and not self.cells.any():
            return image
        if self.cells is None or not len(sigmas):
            return super().sample(noise, latent_image, sampler, sigmas, denoise_mask, callback, disable_pbar, seed)
        cells = to_batch(self.cells, len(latent_image), "guidance_mask").to(latent_image.device)
        region = cells.to(latent_image.dtype)
        if denoise_mask is not None:
            region = region * comfy.sampler_helpers.prepare_mask(denoise_mask, latent_image.shape, region.device)
        start = blend(latent_image, image, cells)
        levels = self._below_highest(sigmas)
        edited = super().sample(noise, start, sampler, levels, region, callback, disable_pbar, seed)
        if sigmas[-1] > 0:  # noise is left on it for another sampler to go on with
            return edited
        return blend(edited, image.to(edited), cells.to(edited.device))

    def predict_noise(
        self, x: torch.Tensor, timestep: torch.Tensor, model_options: dict[str, Any] = {}, seed: int | None = None
    ) -> torch.Tensor:
        """The guided prediction of the clean latents; outside the region that of the image alone."""
        text_scale, image_scale = self.scales
        conds = self.conds["positive"], self.conds["negative"], self.conds["unconditional"]
        wanted = text_scale != 0, True, image_scale != 1  # a branch that counts nothing is left out
        text, image, neither = comfy.samplers.calc_cond_batch(
            self.inner_model,
            [cond if want else None for cond, want in zip(conds, wanted)],
            x,
            timestep,
            model_options,
        )
        by_image = neither + image_scale * (image - neither) if wanted[2] else image
        by_text = by_image + (text - image) if wanted[0] else by_image
        guided = self._apply_hooks(by_text, by_image, x, timestep, model_options)
        return guided if self.cells is None else torch.where(self.cells.to(x.device), guided, by_image)

    def _apply_hooks(
        self,
        by_text: torch.Tensor,
        by_image: torch.Tensor,
        x: torch.Tensor,
        timestep: torch.Tensor,
        model_options: dict[str, Any],
    ) -> torch.Tensor:
        """ComfyUI's guidance from image to text, with what a model's patches hook into it."""
        conds, found = [self.conds["positive"], self.conds["negative"]], [by_text, by_image]
        for hook in model_options.get("sampler_pre_cfg_function", []):
            found = hook(
                {
                    "conds": conds, "conds_out": found, "cond_scale": self.scales[0], "timestep": timestep,
                    "input": x, "sigma": timestep, "model": self.inner_model, "model_options": model_options,
                }
            )  # fmt: skip
        return comfy.samplers.cfg_function(
            self.inner_model, *found, self.scales[0], x, timestep, model_options, cond=conds[0], uncond=conds[1]
        )

    def _below_highest(self, sigmas: torch.Tensor) -> torch.Tensor:
        highest = (1 - START_BELOW) * float(self.model_patcher.get_model_object("model_sampling").sigma_max)
        return torch.cat([sigmas[:1].clamp(max=highest), sigmas[1:]])

    def _image_for(self, latent_image: torch.Tensor) -> torch.Tensor:
        if latent_image.shape[1:] != self.image.shape[1:]:
            raise InputError(
                f"The sampler's `latent_image` must be of the shape of the guider's `image_latent`, "
                f"{tuple(self.image.shape[1:])}, got {tuple(latent_image.shape[1:])}. Give both the same latent."
            )
        return to_batch(self.image, len(latent_image), "image_latent").to(latent_image)
