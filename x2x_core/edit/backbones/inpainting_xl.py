"""Inpainting models on Stable Diffusion XL: those of `inpainting`, with pooled text and sizes beside it."""

from __future__ import annotations

import torch

from .conditioning import TWO_BRANCHES, Conditioning, PromptInputs
from .inpainting import Inpainting
from .protocol import Traits
from .refusals import refusals

_TRAITS = Traits(
    TWO_BRANCHES,
    ("latents", "prompt_embeds"),
    refused=refusals(
        "reference",
        "prompt_embeds",
        "negative_prompt_embeds",
        "image_guidance_scale",
        "ip_adapter_image",
        "ip_adapter_image_embeds",
        "mask_context",
    ),
    recommended={"num_inference_steps": 30, "guidance_scale": 7.5},
    relevance_batch=8,
)
_AESTHETIC_SCORES = 6.0, 2.5  # of both branches, for checkpoints that ask for one: the defaults of diffusers


class InpaintingXL(Inpainting):
    """A `StableDiffusionXLInpaintPipeline`."""

    @property
    def traits(self) -> Traits:
        """Two branches."""
        return _TRAITS

    def condition(self, prompts: PromptInputs, pixels: torch.Tensor, image_latents: torch.Tensor) -> Conditioning:
        """Encode prompts and negative prompts by both text encoders."""
        pipe, device = self.pipe, self.pipe._execution_device
        text, negative, pooled, negative_pooled = pipe.encode_prompt(
            prompts.wordings,
            device=device,
            num_images_per_prompt=prompts.copies,
            do_classifier_free_guidance=True,
            negative_prompt=prompts.negative,
            lora_scale=(prompts.cross_attention_kwargs or {}).get("scale"),
        )
        size, corner = tuple(pixels.shape[-2:]), (0, 0)
        sizes = (size, corner, size, *_AESTHETIC_SCORES, size, corner, size)
        times = pipe._get_add_time_ids(*sizes, dtype=text.dtype, text_encoder_projection_dim=pooled.shape[-1])
        tensors = {
            "prompt_embeds": torch.cat([text, negative]),
            "pooled": torch.cat([pooled, negative_pooled]),
            "time_ids": torch.cat([own.to(device).repeat(len(text), 1) for own in times]),
        }
        shared = {"cross_attention_kwargs": prompts.cross_attention_kwargs}
        return Conditioning(TWO_BRANCHES, tensors, text.dtype, shared)
