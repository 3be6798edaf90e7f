"""FLUX.1 Kontext (Black Forest Labs, 2025): a transformer on 2x2 patches of latents, with the picture as more tokens.

Its guidance is distilled: the scale is an input, and an edit takes the prediction with the instruction alone. The one
without it, for the relevance map, is that of the empty text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.pipelines.flux.pipeline_flux_kontext import calculate_shift

from .conditioning import TEXT, TWO_BRANCHES, Conditioning, PromptInputs
from .flow import FlowSchedule, shift_by_tokens
from .flow_models import PATCH, each_branch, flow_geometry, to_latents, to_tokens
from .protocol import Geometry, Traits
from .refusals import FLOW, refusals
from .stable_diffusion import decoded, posterior_mode

USUAL_GUIDANCE = 2.5

_TRAITS = Traits(
    branches=(TEXT,),
    callback_tensors=("latents", "prompt_embeds"),
    refused=refusals(*FLOW, "negative_prompt"),
    recommended={"num_inference_steps": 28, "guidance_scale": USUAL_GUIDANCE},
)


@dataclass(frozen=True)
class Kontext:
    """A `FluxKontextPipeline`."""

    pipe: Any

    @property
    def traits(self) -> Traits:
        """One branch, with the guidance scale as an input."""
        return _TRAITS

    @property
    def geometry(self) -> Geometry:
        """Latents of the autoencoder, in patches of 2x2."""
        return flow_geometry(self.pipe, self.pipe.vae.config.latent_channels, 1)

    def check(self, prompts: PromptInputs) -> None:
        """Accept any prompt."""

    def schedule(self, published: bool = False, solver: str | None = None) -> FlowSchedule:
        """Return the pipeline's schedule, shifted by the number of tokens."""
        return FlowSchedule(self.pipe.scheduler, shift_by_tokens(self.pipe.scheduler, calculate_shift, PATCH))

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the unscaled mode of the posterior, `(V, C, h, w)`."""
        return posterior_mode(self.pipe, pixels)

    def decode(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Decode unscaled latents."""
        return decoded(self.pipe, image_latents)

    def to_latents(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Shift and scale as the VAE's config says."""
        config = self.pipe.vae.config
        return (image_latents - config.shift_factor) * config.scaling_factor

    def to_image_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Scale and shift as the VAE's config says."""
        config = self.pipe.vae.config
        return latents / config.scaling_factor + config.shift_factor

    def condition(self, prompts: PromptInputs, pixels: torch.Tensor, image_latents: torch.Tensor) -> Conditioning:
        """Encode the prompts and the empty text, and add the picture as tokens with positions of their own."""
        assert prompts.wordings is not None
        pipe, device = self.pipe, self.pipe._execution_device
        texts = [*prompts.wordings, *[""] * len(prompts.wordings)]
        states, pooled, text_ids = pipe.encode_prompt(texts, None, device=device)
        height, width = image_latents.shape[-2:]
        grid = (1, height // PATCH, width // PATCH, device, states.dtype)
        positions = pipe._prepare_latent_image_ids(*grid)
        own = positions.clone()
        own[:, 0] = 1  # the first coordinate tells the picture from the latents
        tensors = {
            "prompt_embeds": states.repeat_interleave(prompts.copies, dim=0),
            "pooled": pooled.repeat_interleave(prompts.copies, dim=0),
            "picture": to_tokens(self.to_latents(image_latents).to(states.dtype), PATCH).repeat(2, 1, 1),
        }
        shared = {"txt_ids": text_ids, "img_ids": torch.cat([positions, own])}
        return Conditioning(TWO_BRANCHES, tensors, states.dtype, shared)

    def predict(
        self,
        conditioning: Conditioning,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        guidance_scale: float | torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Predict branch by branch."""
        tokens = to_tokens(noisy, PATCH)
        scale = USUAL_GUIDANCE if guidance_scale is None else guidance_scale
        guidance = torch.as_tensor(scale, dtype=torch.float32, device=noisy.device).flatten().expand(len(noisy))

        def call(inputs: Conditioning) -> torch.Tensor:
            prediction = self.pipe.transformer(
                hidden_states=torch.cat([tokens, inputs.tensors["picture"]], dim=1),
                timestep=timesteps.to(noisy.dtype) / 1000,
                guidance=guidance if self.pipe.transformer.config.guidance_embeds else None,
                pooled_projections=inputs.tensors["pooled"],
                encoder_hidden_states=inputs.tensors["prompt_embeds"],
                return_dict=False,
                **inputs.shared,
            )[0]
            return to_latents(prediction[:, : tokens.shape[1]], noisy.shape, PATCH)

        return each_branch(conditioning, call)

    def guide(
        self,
        predictions: Sequence[torch.Tensor],
        guidance_scale: float | torch.Tensor,
        image_guidance_scale: float,
    ) -> torch.Tensor:
        """Return the only prediction, which is guided already."""
        return predictions[0]
