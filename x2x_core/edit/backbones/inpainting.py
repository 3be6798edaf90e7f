"""Inpainting models on Stable Diffusion 1.5: the U-Net is given the mask and the picture without what is masked.

It reads a prompt that describes the result rather than an instruction. For the relevance map, everything is masked: the
two predictions then differ where the prompt asks for something else than the noised picture shows (Couairon et al.,
*DiffEdit*, 2022). A U-Net with 4 channels (any Stable Diffusion checkpoint) is not told the mask; blending keeps what
is outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError
from x2x_core.guidance.cfg import guided_by_two

from .conditioning import TWO_BRANCHES, Conditioning, PromptInputs
from .protocol import Traits
from .refusals import refusals
from .stable_diffusion import StableDiffusionBackbone

_TRAITS = Traits(
    TWO_BRANCHES,
    ("latents", "prompt_embeds"),
    refused=refusals(
        "reference", "image_guidance_scale", "ip_adapter_image", "ip_adapter_image_embeds", "mask_context"
    ),
    recommended={"num_inference_steps": 30, "guidance_scale": 7.5},
    relevance_batch=24,
    joined_batch=24,
)


class Inpainting(StableDiffusionBackbone):
    """A `StableDiffusionInpaintPipeline`."""

    @property
    def traits(self) -> Traits:
        """Two branches."""
        return _TRAITS

    def check(self, prompts: PromptInputs) -> None:
        """Check the U-Net's channels.

        Raises:
            InputError: neither noisy latents alone, nor with a mask and the masked picture.
        """
        channels, latent = self.pipe.unet.config.in_channels, self.pipe.vae.config.latent_channels
        if channels not in (latent, 2 * latent + 1):
            raise InputError(
                f"`unet` must take {latent} channels, or {2 * latent + 1} with a mask and the masked picture, but it "
                f"takes {channels}: this is not an inpainting checkpoint."
            )

    def condition(self, prompts: PromptInputs, pixels: torch.Tensor, image_latents: torch.Tensor) -> Conditioning:
        """Encode prompts and negative prompts; the picture follows with the mask, see `restrict`."""
        text, negative = self.pipe.encode_prompt(
            prompts.wordings,
            self.pipe._execution_device,
            prompts.copies,
            True,
            prompts.negative,
            prompt_embeds=prompts.embeds,
            negative_prompt_embeds=prompts.negative_embeds,
            lora_scale=(prompts.cross_attention_kwargs or {}).get("scale"),
        )
        shared = {"cross_attention_kwargs": prompts.cross_attention_kwargs}
        return Conditioning(TWO_BRANCHES, {"prompt_embeds": torch.cat([text, negative])}, text.dtype, shared)

    def restrict(self, conditioning: Conditioning, pixels: torch.Tensor, mask: torch.Tensor) -> Conditioning:
        """Add the mask on the latent cells, and the latents of the picture with grey in its place."""
        if self.pipe.unet.config.in_channels == self.pipe.vae.config.latent_channels:
            return conditioning
        hidden = torch.where(mask > 0.5, 0.5, pixels)  # grey is the middle of the autoencoder's range
        latents = self.to_latents(self.encode_image(hidden))
        cells = F.interpolate(mask, latents.shape[-2:])  # the rule of diffusers: the nearest pixel
        given = torch.cat([cells.to(latents), latents], dim=1).to(conditioning.dtype)
        count = len(conditioning.branches)
        return replace(conditioning, tensors={**conditioning.tensors, "mask_and_picture": given.repeat(count, 1, 1, 1)})

    def predict(
        self,
        conditioning: Conditioning,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        guidance_scale: float | torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Predict for all branches in one call of the U-Net."""
        count, tensors = len(conditioning.branches), conditioning.tensors
        sample = torch.cat([noisy] * count)
        if "mask_and_picture" in tensors:
            sample = torch.cat([sample, tensors["mask_and_picture"]], dim=1)
        added = {"text_embeds": tensors["pooled"], "time_ids": tensors["time_ids"]} if "pooled" in tensors else None
        prediction = self.pipe.unet(
            sample,
            timesteps.repeat(count),
            encoder_hidden_states=tensors["prompt_embeds"],
            added_cond_kwargs=added,
            cross_attention_kwargs=conditioning.shared["cross_attention_kwargs"],
            return_dict=False,
        )[0]
        return prediction.chunk(count)

    def guide(
        self,
        predictions: Sequence[torch.Tensor],
        guidance_scale: float | torch.Tensor,
        image_guidance_scale: float,
    ) -> torch.Tensor:
        """Combine the two branches."""
        text, image = predictions
        return guided_by_two(text, image, guidance_scale)
