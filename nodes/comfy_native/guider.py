"""Guidance by an instruction that is restricted to a region, as a GUIDER for SamplerCustomAdvanced."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import comfy.model_sampling
import comfy.sampler_helpers
import comfy.samplers
import torch

from x2x_core.common.errors import InputError
from x2x_core.edit.background import blend

from .inputs import (
    Conditionings,
    Latent,
    Model,
    image_samples,
    mask_cells,
    mask_without,
    takes_image,
    to_batch,
    with_image,
    without_image,
)

logger = logging.getLogger(__name__)

# At the model's highest noise level ComfyUI treats the start as pure noise and adds more, unless the level is lower by
# more than a fraction of 1e-5. A region starts from the noised image, so its highest level is lowered by this fraction.
START_BELOW = 2e-5


def region_guider(
    model: Model,
    conditionings: Conditionings,
    image_latent: Latent,
    scales: tuple[float, float],
    guidance_mask: torch.Tensor | None,
    keep_mask: torch.Tensor | None = None,
) -> RegionGuider:
    """Return a guider that edits an image inside a mask.

    Args:
        model: any model of pictures; InstructPix2Pix models get three branches, all others two.
        conditionings: of the instruction and of an empty text; with two branches they say what the model sees of the
            image.
        image_latent: of the image.
        scales: guidance scales of the instruction and of the image; with two branches the first alone counts.
        guidance_mask: MASK `(B, H, W)`; the image may change where it is at least 0.5; ``None``: everywhere.
        keep_mask: MASK `(B, H, W)`; the image stays as it is where it is above 0; ``None``: nothing is kept.

    Raises:
        InputError: latents of another model or of a video.
    """
    samples = image_samples(image_latent, model, "image_latent")
    rows, columns = samples.shape[-2:]
    mask = mask_without(guidance_mask, keep_mask)
    cells = None if mask is None else mask_cells(mask, (rows, columns))
    if cells is not None and not cells.any():
        logger.warning("`guidance_mask` leaves nothing to change: the image is returned unchanged.")
    if cells is not None and samples.ndim == 5:
        cells = cells.unsqueeze(2)
    guider = (ThreeBranchGuider if takes_image(model) else TwoBranchGuider)(model, scales, samples, cells)
    guider.set_conds(conditionings)
    return guider


class RegionGuider(comfy.samplers.CFGGuider):
    """Guidance inside a region; outside it the latents stay identical to the image's.

    Args:
        model_patcher: MODEL.
        scales: of the instruction and of the image.
        image: latents of the image `(B, C, h, w)` or `(B, C, 1, h, w)`, unscaled.
        cells: `(B, 1, h, w)` or `(B, 1, 1, h, w)` bool, where the instruction applies and the latents may change;
            ``None``: everywhere.
    """

    def __init__(
        self, model_patcher: Model, scales: tuple[float, float], image: torch.Tensor, cells: torch.Tensor | None
    ) -> None:
        super().__init__(model_patcher)
        self.scales = scales
        self.image = image
        self.cells = cells

    def set_conds(self, conditionings: Conditionings) -> None:
        """Set the branches."""
        raise NotImplementedError

    def predict_branches(
        self, x: torch.Tensor, timestep: torch.Tensor, model_options: dict[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict the clean latents with the instruction, before it is scaled, and without it."""
        raise NotImplementedError

    def sample(
        self,
        noise: torch.Tensor,
        latent_image: torch.Tensor,
        sampler: Any,
        sigmas: torch.Tensor,
        denoise_mask: torch.Tensor | None = None,
        callback: Callable[..., Any] | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> torch.Tensor:
        """Denoise `latent_image` inside the region, and return the image's own latents outside it.

        Raises:
            InputError: `latent_image` has another size or batch size than the image.
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
        if sigmas[-1] > 0:  # noise is left for another sampler
            return edited
        return blend(edited, image.to(edited), cells.to(edited.device))

    def predict_noise(
        self,
        x: torch.Tensor,
        timestep: torch.Tensor,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> torch.Tensor:
        """Predict the clean latents with guidance inside the region and without the instruction outside it."""
        options = model_options or {}
        by_text, by_image = self.predict_branches(x, timestep, options)
        guided = self._apply_hooks(by_text, by_image, x, timestep, options)
        return guided if self.cells is None else torch.where(self.cells.to(x.device), guided, by_image)

    def _apply_hooks(
        self,
        by_text: torch.Tensor,
        by_image: torch.Tensor,
        x: torch.Tensor,
        timestep: torch.Tensor,
        model_options: dict[str, Any],
    ) -> torch.Tensor:
        """Apply ComfyUI's guidance from image to text, including the hooks of a model's patches."""
        conds, predictions = [self.conds["positive"], self.conds["negative"]], [by_text, by_image]
        for hook in model_options.get("sampler_pre_cfg_function", []):
            predictions = hook(
                {
                    "conds": conds, "conds_out": predictions, "cond_scale": self.scales[0], "timestep": timestep,
                    "input": x, "sigma": timestep, "model": self.inner_model, "model_options": model_options,
                }
            )  # fmt: skip
        return comfy.samplers.cfg_function(
            self.inner_model, *predictions, self.scales[0], x, timestep, model_options, cond=conds[0], uncond=conds[1]
        )

    def _below_highest(self, sigmas: torch.Tensor) -> torch.Tensor:
        sampling = self.model_patcher.get_model_object("model_sampling")
        if isinstance(sampling, comfy.model_sampling.CONST):  # flow matching starts from pure noise as it should
            return sigmas
        highest = (1 - START_BELOW) * float(sampling.sigma_max)
        return torch.cat([sigmas[:1].clamp(max=highest), sigmas[1:]])

    def _image_for(self, latent_image: torch.Tensor) -> torch.Tensor:
        if latent_image.shape[1:] != self.image.shape[1:]:
            raise InputError(
                f"The sampler's `latent_image` must have the shape of the guider's `image_latent`, "
                f"{tuple(self.image.shape[1:])}, got {tuple(latent_image.shape[1:])}. Connect the same latent to both."
            )
        return to_batch(self.image, len(latent_image), "image_latent").to(latent_image)


class ThreeBranchGuider(RegionGuider):
    """InstructPix2Pix's guidance, with a scale for the instruction and one for the image."""

    def set_conds(self, conditionings: Conditionings) -> None:
        """Set the branches of InstructPix2Pix: text and image, image alone, neither."""
        self.inner_set_conds(
            {
                "positive": with_image(conditionings.positive, self.image),
                "negative": with_image(conditionings.negative, self.image),
                "unconditional": without_image(conditionings.negative),
            }
        )

    def predict_branches(
        self, x: torch.Tensor, timestep: torch.Tensor, model_options: dict[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict the clean latents with the instruction, before it is scaled, and from the image at its scale."""
        text_scale, image_scale = self.scales
        names = "positive", "negative", "unconditional"
        active = text_scale != 0, True, image_scale != 1  # the other branches cancel and are skipped
        text, image, neither = _predictions(self, names, active, x, timestep, model_options)
        by_image = neither + image_scale * (image - neither) if active[2] else image
        return by_image + (text - image) if active[0] else by_image, by_image


class TwoBranchGuider(RegionGuider):
    """Classifier-free guidance by the instruction, of a model whose conditionings say what it sees of the image."""

    def set_conds(self, conditionings: Conditionings) -> None:
        """Set the branches: with the instruction and without it."""
        self.inner_set_conds({"positive": conditionings.positive, "negative": conditionings.negative})

    def predict_branches(
        self, x: torch.Tensor, timestep: torch.Tensor, model_options: dict[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict the clean latents with the instruction and without it.

        At a scale of 1 the branch without it cancels inside the region and is skipped, as ComfyUI does; what is
        predicted outside is then of no account, since the latents stay the image's.
        """
        scale, _ = self.scales
        active = scale != 0, scale != 1 or bool(model_options.get("disable_cfg1_optimization", False))
        with_text, without = _predictions(self, ("positive", "negative"), active, x, timestep, model_options)
        return with_text if active[0] else without, without if active[1] else with_text


def _predictions(
    guider: RegionGuider,
    names: tuple[str, ...],
    active: tuple[bool, ...],
    x: torch.Tensor,
    timestep: torch.Tensor,
    model_options: dict[str, Any],
) -> list[torch.Tensor]:
    """Return what the model predicts in each branch; that of an inactive one is to be ignored."""
    conds = [guider.conds[name] if is_active else None for name, is_active in zip(names, active)]
    return comfy.samplers.calc_cond_batch(guider.inner_model, conds, x, timestep, model_options)
