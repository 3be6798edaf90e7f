"""A block that finds where a Stable Diffusion XL model would change the picture for the prompt."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.modular_pipelines import ModularPipelineBlocks
from diffusers.modular_pipelines.modular_pipeline_utils import ComponentSpec, InputParam, OutputParam
from diffusers.schedulers import EulerDiscreteScheduler
from diffusers.utils.torch_utils import randn_tensor

from x2x_core.edit.backbones.diffusion import DiffusionSchedule
from x2x_core.edit.composition import match_channels
from x2x_core.guidance.maps import guidance_map, guidance_mask
from x2x_core.guidance.relevance import noise_disagreement, relevance_from_disagreement, upsample
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.inputs import read_images

from .masks import to_mask_images, to_masks

NOISE_LEVEL, DRAWS, MASK_THRESHOLD = 0.8, 4, 0.5


class RelevanceBlock(ModularPipelineBlocks):
    """Find the relevance map of a prompt, and restrict the mask to it (Couairon et al., *DiffEdit*, 2022).

    It follows the text encoder, and precedes whatever reads `mask_image`. With a mask in the state (of
    `AnatomyGuidanceBlock`, say) the new mask lies within it.
    """

    model_name = "stable-diffusion-xl"

    @property
    def description(self) -> str:
        """The block in a sentence."""
        return "Find where the predictions with and without the prompt differ, and make that the mask."

    @property
    def expected_components(self) -> list[ComponentSpec]:
        """Autoencoder, U-Net and scheduler."""
        return [
            ComponentSpec("vae", AutoencoderKL),
            ComponentSpec("unet", UNet2DConditionModel),
            ComponentSpec("scheduler", EulerDiscreteScheduler),
        ]

    @property
    def inputs(self) -> list[InputParam]:
        """The picture, the encoded prompt, and a mask to stay within."""
        embeds = (
            "prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds",
        )  # fmt: skip
        return [
            InputParam("image", required=True, description="Pictures of one size."),
            *(InputParam(name, required=True, type_hint=torch.Tensor) for name in embeds),
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

    @torch.no_grad()
    def __call__(self, components: Any, state: Any) -> tuple[Any, Any]:
        """Find the map and the mask."""
        block_state = self.get_block_state(state)
        batch = read_images(block_state.image)
        pixels = batch.pixels
        relevance = upsample(self._relevance(components, block_state, pixels), batch.size)
        given = block_state.mask_image
        allowed = torch.ones_like(relevance) if given is None else to_masks(given).float()
        guidance = guidance_map(relevance, allowed)
        block_state.relevance_map = relevance
        block_state.mask_image = to_mask_images(guidance_mask(guidance, block_state.relevance_threshold, allowed))
        self.set_block_state(state, block_state)
        return components, state

    def _relevance(self, components: Any, given: Any, pixels: torch.Tensor) -> torch.Tensor:
        """Return the relevance map of each picture on the latent cells, `(B, 1, h, w)` on the CPU."""
        vae, unet, schedule = components.vae, components.unet, DiffusionSchedule(components.scheduler)
        cell = 2 ** (len(vae.config.block_out_channels) - 1)
        canvas = Canvas.own((pixels.shape[-2], pixels.shape[-1]), cell * unet.config.sample_size, cell)
        placed = match_channels(canvas.place(pixels), vae.config.in_channels) * 2 - 1
        latents = vae.encode(placed.to(vae.device, vae.dtype)).latent_dist.mode() * vae.config.scaling_factor
        latents = latents.to(given.prompt_embeds)
        (level,) = schedule.noise_levels([given.relevance_noise_level])
        size = torch.tensor([[*canvas.pixels, 0, 0, *canvas.pixels]]).to(latents)
        texts = (
            (given.prompt_embeds, given.pooled_prompt_embeds),
            (given.negative_prompt_embeds, given.negative_pooled_prompt_embeds),
        )
        disagreement = []
        for _ in range(given.relevance_samples):
            noise = randn_tensor(latents.shape, given.generator, latents.device, latents.dtype)
            noisy = schedule.add_noise(latents, noise, level)
            text, without = (
                schedule.predicted_noise(_predict(unet, noisy, level.timestep, states, pooled, size), noisy, level)
                for states, pooled in texts
            )
            disagreement.append(noise_disagreement(text, without))
        relevance, _ = relevance_from_disagreement(torch.cat(disagreement, dim=1).cpu())
        return relevance


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
