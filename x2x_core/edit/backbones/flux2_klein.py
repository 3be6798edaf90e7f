"""FLUX.2 klein (Black Forest Labs, 2026): a transformer on patches of latents, with the picture as more tokens.

The base model has two branches, with the instruction and with the empty text. The distilled one takes few steps and no
guidance; its prediction with the empty text serves the relevance map alone. A latent cell is a token: a patch of 2x2
cells of the autoencoder, normalised by the statistics of its batch norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from einops import rearrange

from x2x_core.guidance.cfg import guided_by_two

from .conditioning import TEXT, TWO_BRANCHES, Conditioning, PromptInputs
from .flow import FlowSchedule
from .flow_models import PATCH, each_branch, flow_geometry, to_latents, to_tokens
from .protocol import Geometry, Traits
from .refusals import FLOW, refusals
from .stable_diffusion import decoded, posterior_mode

_CALLBACK_TENSORS = ("latents", "prompt_embeds")
_BASE = Traits(
    TWO_BRANCHES,
    _CALLBACK_TENSORS,
    refused=refusals(*FLOW),
    recommended={"num_inference_steps": 50, "guidance_scale": 4.0},
)
_DISTILLED = Traits(
    (TEXT,),
    _CALLBACK_TENSORS,
    refused=refusals(*FLOW, "guidance_scale", "negative_prompt"),
    recommended={"num_inference_steps": 4, "guidance_scale": 1.0},
)


@dataclass(frozen=True)
class Flux2Klein:
    """A `Flux2KleinPipeline`."""

    pipe: Any

    @property
    def traits(self) -> Traits:
        """Two branches, or one of the distilled model."""
        return _DISTILLED if self.pipe.config.is_distilled else _BASE

    @property
    def geometry(self) -> Geometry:
        """A latent cell is a token."""
        return flow_geometry(self.pipe, self.pipe.vae.config.latent_channels * PATCH**2, PATCH)

    def check(self, prompts: PromptInputs) -> None:
        """Accept any prompt."""

    def schedule(self, published: bool = False, solver: str | None = None) -> FlowSchedule:
        """Return the pipeline's schedule, shifted by the number of tokens."""
        return FlowSchedule(self.pipe.scheduler, lambda cells, steps: compute_empirical_mu(cells[0] * cells[1], steps))

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the mode of the posterior in patches, normalised: latents `(V, C, h, w)`."""
        patches = rearrange(posterior_mode(self.pipe, pixels), "b c (h p) (w q) -> b (c p q) h w", p=PATCH, q=PATCH)
        mean, deviation = self._statistics(patches)
        return (patches - mean) / deviation

    def decode(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Reverse `encode_image`."""
        mean, deviation = self._statistics(image_latents)
        patches = image_latents * deviation + mean
        return decoded(self.pipe, rearrange(patches, "b (c p q) h w -> b c (h p) (w q)", p=PATCH, q=PATCH))

    def to_latents(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Return them: they are latents."""
        return image_latents

    def to_image_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Return them: they are image latents."""
        return latents

    def _statistics(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and standard deviation of the autoencoder's patches, `(1, C, 1, 1)` each."""
        norm, epsilon = self.pipe.vae.bn, self.pipe.vae.config.batch_norm_eps
        deviation = torch.sqrt(norm.running_var.to(latents) + epsilon)
        return norm.running_mean.view(1, -1, 1, 1).to(latents), deviation.view(1, -1, 1, 1)

    def condition(self, prompts: PromptInputs, pixels: torch.Tensor, image_latents: torch.Tensor) -> Conditioning:
        """Encode prompts and negative prompts, and add the picture as tokens with positions of their own."""
        assert prompts.wordings is not None
        pipe, device = self.pipe, self.pipe._execution_device
        texts = [*prompts.wordings, *(prompts.negative or [""] * len(prompts.wordings))]
        states, text_ids = pipe.encode_prompt(texts, device=device)
        latents = image_latents.to(states.dtype)
        positions = pipe._prepare_latent_ids(latents)
        own = pipe._prepare_image_ids([latents[:1]]).expand(len(latents), -1, -1)
        tensors = {
            "prompt_embeds": states.repeat_interleave(prompts.copies, dim=0),
            "txt_ids": text_ids.repeat_interleave(prompts.copies, dim=0),
            "picture": to_tokens(latents, 1).repeat(2, 1, 1),
            "img_ids": torch.cat([positions, own], dim=1).to(device).repeat(2, 1, 1),
        }
        return Conditioning(TWO_BRANCHES, tensors, states.dtype)

    def predict(
        self,
        conditioning: Conditioning,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        guidance_scale: float | torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Predict branch by branch."""
        tokens = to_tokens(noisy, 1)

        def call(inputs: Conditioning) -> torch.Tensor:
            given = inputs.tensors
            with self.pipe.transformer.cache_context("cond" if inputs.branches == (TEXT,) else "uncond"):
                prediction = self.pipe.transformer(
                    hidden_states=torch.cat([tokens, given["picture"]], dim=1).to(self.pipe.transformer.dtype),
                    timestep=timesteps.to(noisy.dtype) / 1000,
                    guidance=None,
                    encoder_hidden_states=given["prompt_embeds"],
                    txt_ids=given["txt_ids"],
                    img_ids=given["img_ids"],
                    return_dict=False,
                )[0]
            return to_latents(prediction[:, : tokens.shape[1]], noisy.shape, 1)

        return each_branch(conditioning, call)

    def guide(
        self,
        predictions: Sequence[torch.Tensor],
        guidance_scale: float | torch.Tensor,
        image_guidance_scale: float,
    ) -> torch.Tensor:
        """Combine the two branches of the base model."""
        text, image = predictions
        return guided_by_two(text, image, guidance_scale)
