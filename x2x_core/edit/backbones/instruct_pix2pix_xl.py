"""InstructPix2Pix on Stable Diffusion XL: the layout of `instruct_pix2pix`, with pooled text and sizes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from x2x_core.guidance.cfg import guided_noise

from .conditioning import THREE_BRANCHES, Conditioning, PromptInputs
from .instruct_pix2pix_checks import check_unet
from .protocol import Traits
from .refusals import refusals
from .stable_diffusion import StableDiffusionBackbone

_TRAITS = Traits(
    THREE_BRANCHES,
    ("latents", "prompt_embeds", "image_latents"),
    refused=refusals(
        "reference",
        "prompt_embeds",
        "negative_prompt_embeds",
        "ip_adapter_image",
        "ip_adapter_image_embeds",
        "mask_context",
    ),
    recommended={"num_inference_steps": 30, "guidance_scale": 5.0, "image_guidance_scale": 1.5},
    relevance_batch=8,
    joined_batch=8,
)


class InstructPix2PixXL(StableDiffusionBackbone):
    """A `StableDiffusionXLInstructPix2PixPipeline`."""

    @property
    def traits(self) -> Traits:
        """Three branches."""
        return _TRAITS

    @property
    def unet(self) -> Any:
        """The U-Net, whose cross-attention can be recorded and gated."""
        return self.pipe.unet

    def check(self, prompts: PromptInputs) -> None:
        """Check the U-Net's channels.

        Raises:
            InputError: they are not those of noisy latents and a picture's.
        """
        check_unet(self.unet, self.pipe.vae.config.latent_channels)

    def condition(self, prompts: PromptInputs, pixels: torch.Tensor, image_latents: torch.Tensor) -> Conditioning:
        """Encode the prompts by both text encoders, for all three branches."""
        pipe, device = self.pipe, self.pipe._execution_device
        scale = (prompts.cross_attention_kwargs or {}).get("scale")
        text, negative, pooled, negative_pooled = pipe.encode_prompt(
            prompts.wordings,
            device=device,
            num_images_per_prompt=prompts.copies,
            do_classifier_free_guidance=True,
            negative_prompt=prompts.negative,
            lora_scale=scale,
        )
        size = tuple(pixels.shape[-2:])
        times = pipe._get_add_time_ids(size, (0, 0), size, text.dtype, pooled.shape[-1]).to(device)
        picture = image_latents.to(text.dtype)
        if pipe.is_cosxl_edit:
            picture = self.to_latents(picture)
        tensors = {
            "prompt_embeds": torch.cat([text, negative, negative]),
            "pooled": torch.cat([pooled, negative_pooled, negative_pooled]),
            "time_ids": times.repeat(len(THREE_BRANCHES) * len(text), 1),
            "image_latents": torch.cat([picture, picture, torch.zeros_like(picture)]),
        }
        shared = {"cross_attention_kwargs": prompts.cross_attention_kwargs}
        return Conditioning(THREE_BRANCHES, tensors, text.dtype, shared)

    def predict(
        self,
        conditioning: Conditioning,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        guidance_scale: float | torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Predict for all branches in one call of the U-Net."""
        count, tensors = len(conditioning.branches), conditioning.tensors
        prediction = self.unet(
            torch.cat([torch.cat([noisy] * count), tensors["image_latents"]], dim=1),
            timesteps.repeat(count),
            encoder_hidden_states=tensors["prompt_embeds"],
            added_cond_kwargs={"text_embeds": tensors["pooled"], "time_ids": tensors["time_ids"]},
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
        """Combine the three predictions by two scales."""
        text, image, neither = predictions
        return guided_noise(text, image, neither, guidance_scale, image_guidance_scale)
