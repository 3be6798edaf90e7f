"""A block that finds where a model would change the picture for the prompt, and its form for Stable Diffusion XL."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.modular_pipelines import ModularPipelineBlocks
from diffusers.modular_pipelines.modular_pipeline_utils import ComponentSpec, InputParam, OutputParam
from diffusers.schedulers import EulerDiscreteScheduler
from diffusers.utils.torch_utils import randn_tensor

from x2x_core.common.errors import InputError
from x2x_core.edit.backbones.diffusion import DiffusionSchedule
from x2x_core.edit.backbones.protocol import Schedule
from x2x_core.edit.composition import match_channels
from x2x_core.guidance.maps import guidance_map, guidance_mask
from x2x_core.guidance.relevance import noise_disagreement, relevance_from_disagreement, upsample
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.geometry import Padding
from x2x_core.imaging.inputs import read_images

from .masks import to_mask_images, to_masks

NOISE_LEVEL, DRAWS, MASK_THRESHOLD = 0.8, 4, 0.5


@dataclass(frozen=True)
class Predictor:
    """A model with pictures and prompts, ready to predict."""

    latents: torch.Tensor  # (B, C, h, w), of the pictures, scaled
    schedule: Schedule
    # Predictions with and without the prompt, from noisy latents and a noise level of the schedule
    predict: Callable[[torch.Tensor, Any], tuple[torch.Tensor, torch.Tensor]]
    canvas: Canvas  # of each picture


class AnyRelevanceBlock(ModularPipelineBlocks):
    """Find the relevance map of a prompt, and restrict the mask to it (Couairon et al., *DiffEdit*, 2022).

    It follows the text encoder, and precedes whatever reads `mask_image`. With a mask in the state (of
    `AnatomyGuidanceBlock`, say) the new mask lies within it.
    """

    embeds: tuple[str, ...] = ()  # names of the encoded prompts in the state

    @property
    def description(self) -> str:
        """The block in a sentence."""
        return "Find where the predictions with and without the prompt differ, and make that the mask."

    @property
    def inputs(self) -> list[InputParam]:
        """The picture, the encoded prompt, and a mask to stay within."""
        return [
            InputParam("image", required=True, description="Pictures of one size."),
            *(
                InputParam(name, required=name in ("prompt_embeds", "pooled_prompt_embeds"), type_hint=torch.Tensor)
                for name in self.embeds
            ),
            InputParam("mask_image", description="Where the image may change."),
            InputParam("generator", description="Source of the noise."),
            InputParam("relevance_noise_level", default=NOISE_LEVEL, description="Share of the schedule, [0, 1]."),
            InputParam("relevance_samples", default=DRAWS, description="Noise draws."),
            InputParam("relevance_threshold", default=MASK_THRESHOLD, description="Level of the map, [0, 1]."),
        ]

    @property
    def intermediate_outputs(self) -> list[OutputParam]:
        """The maps and the mask."""
        return [
            OutputParam("relevance_map", type_hint=torch.Tensor, description="(B, 1, H, W) in [0, 1]."),
            OutputParam("mask_image", description="Masks as pictures, white where the image may change."),
        ]

    @abstractmethod
    def predictor(self, components: Any, given: Any, pixels: torch.Tensor) -> Predictor:
        """Return the model, ready to predict.

        Args:
            components: of the pipeline.
            given: the block's inputs.
            pixels: `(B, C, H, W)` in [0, 1].
        """

    @torch.no_grad()
    def __call__(self, components: Any, state: Any) -> tuple[Any, Any]:
        """Find the map and the mask.

        Raises:
            InputError: the state has no encoded text for the prediction without the prompt.
        """
        block_state = self.get_block_state(state)
        batch = read_images(block_state.image)
        model = self.predictor(components, block_state, batch.pixels)
        relevance = _on_picture(_find_relevance(model, block_state), model.canvas)
        given = block_state.mask_image
        allowed = torch.ones_like(relevance) if given is None else to_masks(given).float()
        guidance = guidance_map(relevance, allowed)
        block_state.relevance_map = relevance
        block_state.mask_image = to_mask_images(guidance_mask(guidance, block_state.relevance_threshold, allowed))
        self.set_block_state(state, block_state)
        return components, state


def _find_relevance(model: Predictor, given: Any) -> torch.Tensor:
    """Return the relevance map of each picture on the latent cells, `(B, 1, h, w)` on the CPU."""
    latents, schedule = model.latents, model.schedule
    (level,) = schedule.noise_levels([given.relevance_noise_level])
    disagreement = []
    for _ in range(given.relevance_samples):
        noise = randn_tensor(latents.shape, given.generator, latents.device, latents.dtype)
        noisy = schedule.add_noise(latents, noise, level)
        text, without = (schedule.predicted_noise(own, noisy, level) for own in model.predict(noisy, level))
        disagreement.append(noise_disagreement(text, without))
    relevance, _ = relevance_from_disagreement(torch.cat(disagreement, dim=1).cpu())
    return relevance


def _on_picture(relevance: torch.Tensor, canvas: Canvas) -> torch.Tensor:
    """Resample a map on latent cells to the picture's size."""
    if canvas.padding == Padding():
        return upsample(relevance, canvas.size)
    return canvas.cut(upsample(relevance, canvas.pixels)).clamp(0, 1)


def refuse_missing_text() -> None:
    """Refuse a state without the text of the prediction without the prompt."""
    raise InputError(
        "`negative_prompt_embeds` must be in the state, but the workflow's guider asks for the prediction with the "
        "prompt alone: give the guider a `guidance_scale` other than 1, or set `negative_prompt_embeds`."
    )


class RelevanceBlock(AnyRelevanceBlock):
    """Find the relevance map of a prompt with a Stable Diffusion XL U-Net, and restrict the mask to it.

    Without guidance (a scale of 1) the text encoder makes no text for the prediction without the prompt; it is then
    zeros, as the model's configuration (`force_zeros_for_empty_prompt`) has it for an empty prompt.
    """

    model_name = "stable-diffusion-xl"
    embeds = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")

    @property
    def expected_components(self) -> list[ComponentSpec]:
        """Autoencoder, U-Net and scheduler."""
        return [
            ComponentSpec("vae", AutoencoderKL),
            ComponentSpec("unet", UNet2DConditionModel),
            ComponentSpec("scheduler", EulerDiscreteScheduler),
        ]

    def predictor(self, components: Any, given: Any, pixels: torch.Tensor) -> Predictor:
        """Return the U-Net, with the pictures and prompts."""
        vae, unet = components.vae, components.unet
        cell = 2 ** (len(vae.config.block_out_channels) - 1)
        canvas = Canvas.own((pixels.shape[-2], pixels.shape[-1]), cell * unet.config.sample_size, cell)
        placed = match_channels(canvas.place(pixels), vae.config.in_channels) * 2 - 1
        latents = vae.encode(placed.to(vae.device, vae.dtype)).latent_dist.mode() * vae.config.scaling_factor
        latents = latents.to(given.prompt_embeds)
        size = torch.tensor([[*canvas.pixels, 0, 0, *canvas.pixels]]).to(latents)
        with_prompt = (given.prompt_embeds, given.pooled_prompt_embeds)
        without = (given.negative_prompt_embeds, given.negative_pooled_prompt_embeds)
        if any(states is None for states in without):
            if not components.config.get("force_zeros_for_empty_prompt", True):
                refuse_missing_text()
            without = (torch.zeros_like(with_prompt[0]), torch.zeros_like(with_prompt[1]))

        def predict(noisy: torch.Tensor, level: Any) -> tuple[torch.Tensor, torch.Tensor]:
            text, none = (_predict(unet, noisy, level.timestep, *own, size) for own in (with_prompt, without))
            return text, none

        return Predictor(latents, DiffusionSchedule(components.scheduler), predict, canvas)


def _predict(
    unet: Any, noisy: torch.Tensor, timestep: int, states: torch.Tensor, pooled: torch.Tensor, size: torch.Tensor
) -> torch.Tensor:
    """Predict for `(B, C, h, w)` noisy latents; an inpainting U-Net is told that everything is masked."""
    if unet.config.in_channels != noisy.shape[1]:
        hidden = torch.zeros_like(noisy)
        noisy = torch.cat([noisy, torch.ones_like(noisy[:, :1]), hidden], dim=1)
    count = len(noisy)
    return unet(
        noisy,
        timestep,
        encoder_hidden_states=states.expand(count, -1, -1),
        added_cond_kwargs={"text_embeds": pooled.expand(count, -1), "time_ids": size.expand(count, -1)},
        return_dict=False,
    )[0]
