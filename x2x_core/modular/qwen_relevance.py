"""The relevance block's forms for Qwen-Image and Qwen-Image-Edit."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel
from diffusers.modular_pipelines.modular_pipeline_utils import ComponentSpec, InputParam
from diffusers.schedulers import FlowMatchEulerDiscreteScheduler

from x2x_core.edit.backbones.conditioning import TEXT, Conditioning
from x2x_core.edit.backbones.flow import FlowSchedule
from x2x_core.edit.backbones.flow_models import PATCH, to_tokens
from x2x_core.edit.backbones.qwen_image_edit import QwenImageEdit
from x2x_core.edit.composition import match_channels
from x2x_core.imaging.canvas import Canvas

from .relevance import AnyRelevanceBlock, Predictor, refuse_missing_text


class QwenImageRelevanceBlock(AnyRelevanceBlock):
    """Find the relevance map of a prompt with Qwen-Image's transformer, and restrict the mask to it."""

    model_name = "qwenimage"
    embeds = (
        "prompt_embeds", "prompt_embeds_mask", "negative_prompt_embeds", "negative_prompt_embeds_mask",
    )  # fmt: skip
    sees_picture = False  # the model predicts with the picture's tokens in sight

    @property
    def expected_components(self) -> list[ComponentSpec]:
        """Autoencoder, transformer and scheduler."""
        return [
            ComponentSpec("vae", AutoencoderKLQwenImage),
            ComponentSpec("transformer", QwenImageTransformer2DModel),
            ComponentSpec("scheduler", FlowMatchEulerDiscreteScheduler),
        ]

    @property
    def inputs(self) -> list[InputParam]:
        """As for other models, and the size that the workflow edits at."""
        return [
            *super().inputs,
            InputParam("height", description="Of the picture as the model sees it."),
            InputParam("width", description="Likewise."),
        ]

    def predictor(self, components: Any, given: Any, pixels: torch.Tensor) -> Predictor:
        """Return the transformer, with the pictures and prompts."""
        if given.negative_prompt_embeds is None:
            refuse_missing_text()
        backbone = QwenImageEdit(components)
        sizes = backbone.geometry
        size = (pixels.shape[-2], pixels.shape[-1])
        resolution = max(given.height or 0, given.width or 0) or sizes.resolution
        canvas = Canvas.square(size, resolution, sizes.cell)
        placed = match_channels(canvas.place(pixels), sizes.image_channels)
        latents = backbone.to_latents(backbone.encode_image(placed)).to(given.prompt_embeds)
        texts = [
            self._conditioning(latents, states, mask)
            for states, mask in (
                (given.prompt_embeds, given.prompt_embeds_mask),
                (given.negative_prompt_embeds, given.negative_prompt_embeds_mask),
            )
        ]

        def predict(noisy: torch.Tensor, level: Any) -> tuple[torch.Tensor, torch.Tensor]:
            timesteps = torch.full((len(noisy),), level.timestep, device=noisy.device)
            text, without = (backbone.predict(own, noisy, timesteps)[0] for own in texts)
            return text, without

        return Predictor(latents, FlowSchedule(components.scheduler), predict, canvas)

    def _conditioning(self, latents: torch.Tensor, states: torch.Tensor, mask: torch.Tensor | None) -> Conditioning:
        """Return the inputs of one prediction: the text, and the picture's tokens where the model sees it."""
        count = len(latents)
        tokens = to_tokens(latents, PATCH)
        grid = (1, latents.shape[-2] // PATCH, latents.shape[-1] // PATCH)
        if mask is None:
            mask = torch.ones(states.shape[:2], dtype=torch.long, device=states.device)
        tensors = {
            "prompt_embeds": states.expand(count, -1, -1),
            "mask": mask.expand(count, -1),
            "picture": tokens if self.sees_picture else tokens[:, :0],
        }
        return Conditioning((TEXT,), tensors, states.dtype, {"grids": [grid] * (2 if self.sees_picture else 1)})


class QwenImageEditRelevanceBlock(QwenImageRelevanceBlock):
    """Find the relevance map of an instruction with Qwen-Image-Edit, which sees the picture, and restrict the mask."""

    model_name = "qwenimage-edit"
    sees_picture = True
