"""Qwen-Image-Edit (Qwen team, 2025): a transformer on 2x2 patches of latents, with the picture as more tokens.

The text encoder sees the picture, too. Two branches, with the instruction and with the negative prompt; after guidance
each token is brought back to the length that it has with the instruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit import calculate_shift

from x2x_core.guidance.cfg import guided_by_two

from .conditioning import TWO_BRANCHES, Conditioning, PromptInputs
from .flow import FlowSchedule, shift_by_tokens
from .flow_models import PATCH, each_branch, flow_geometry, to_latents, to_tokens
from .protocol import Geometry, Traits
from .refusals import FLOW, refusals

# The prompt of the second branch, if none is given: the model was trained with a space.
USUAL_NEGATIVE = " "

_TRAITS = Traits(
    TWO_BRANCHES,
    ("latents", "prompt_embeds"),
    refused=refusals(*FLOW),
    recommended={"num_inference_steps": 50, "guidance_scale": 4.0},
)


@dataclass(frozen=True)
class QwenImageEdit:
    """A `QwenImageEditPipeline`."""

    pipe: Any

    @property
    def traits(self) -> Traits:
        """Two branches."""
        return _TRAITS

    @property
    def geometry(self) -> Geometry:
        """Latents of the autoencoder, in patches of 2x2."""
        return flow_geometry(self.pipe, self.pipe.vae.config.z_dim, 1)

    def check(self, prompts: PromptInputs) -> None:
        """Accept any prompt."""

    def schedule(self, published: bool = False, solver: str | None = None) -> FlowSchedule:
        """Return the pipeline's schedule, shifted by the number of tokens."""
        return FlowSchedule(self.pipe.scheduler, shift_by_tokens(self.pipe.scheduler, calculate_shift, PATCH))

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the unscaled mode of the posterior, `(V, C, h, w)`; the autoencoder takes films of one frame."""
        vae = self.pipe.vae
        frames = (pixels * 2 - 1)[:, :, None].to(self.pipe._execution_device, vae.dtype)
        return vae.encode(frames).latent_dist.mode()[:, :, 0]

    def decode(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Decode unscaled latents."""
        vae = self.pipe.vae
        return vae.decode(image_latents[:, :, None].to(vae.dtype), return_dict=False)[0][:, :, 0]

    def to_latents(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Normalise by the statistics in the VAE's config."""
        mean, deviation = self._statistics(image_latents)
        return (image_latents - mean) / deviation

    def to_image_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Reverse `to_latents`."""
        mean, deviation = self._statistics(latents)
        return latents * deviation + mean

    def _statistics(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and standard deviation of the autoencoder's latents, `(1, C, 1, 1)` each."""
        config = self.pipe.vae.config
        mean, deviation = (torch.tensor(own).view(1, -1, 1, 1) for own in (config.latents_mean, config.latents_std))
        return mean.to(latents), deviation.to(latents)

    def condition(self, prompts: PromptInputs, pixels: torch.Tensor, image_latents: torch.Tensor) -> Conditioning:
        """Encode prompts and negative prompts with the picture of each, and add the picture as tokens."""
        assert prompts.wordings is not None
        negative = prompts.negative or [USUAL_NEGATIVE] * len(prompts.wordings)
        shown = pixels[:: prompts.copies].permute(0, 2, 3, 1).cpu().numpy()
        pictures = self.pipe.image_processor.numpy_to_pil(shown)
        states, mask = self.pipe.encode_prompt(
            image=pictures * 2, prompt=[*prompts.wordings, *negative], device=self.pipe._execution_device
        )
        if mask is None:
            mask = torch.ones(states.shape[:2], dtype=torch.long, device=states.device)
        tensors = {
            "prompt_embeds": states.repeat_interleave(prompts.copies, dim=0),
            "mask": mask.repeat_interleave(prompts.copies, dim=0),
            "picture": to_tokens(self.to_latents(image_latents).to(states.dtype), PATCH).repeat(2, 1, 1),
        }
        height, width = (side // PATCH for side in image_latents.shape[-2:])
        return Conditioning(TWO_BRANCHES, tensors, states.dtype, {"grids": [(1, height, width)] * 2})

    def predict(
        self,
        conditioning: Conditioning,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        guidance_scale: float | torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Predict branch by branch."""
        tokens = to_tokens(noisy, PATCH)

        def call(inputs: Conditioning) -> torch.Tensor:
            given = inputs.tensors
            prediction = self.pipe.transformer(
                hidden_states=torch.cat([tokens, given["picture"]], dim=1),
                timestep=timesteps.to(noisy.dtype) / 1000,
                guidance=None,
                encoder_hidden_states=given["prompt_embeds"],
                encoder_hidden_states_mask=None if given["mask"].all() else given["mask"],
                img_shapes=[inputs.shared["grids"]] * len(noisy),
                attention_kwargs={},
                return_dict=False,
            )[0]
            return to_latents(prediction[:, : tokens.shape[1]], noisy.shape, PATCH)

        return each_branch(conditioning, call)

    def guide(
        self,
        predictions: Sequence[torch.Tensor],
        guidance_scale: float | torch.Tensor,
        image_guidance_scale: float,
    ) -> torch.Tensor:
        """Combine the two branches, and bring each token back to its length with the instruction."""
        text, image = predictions
        guided = to_tokens(guided_by_two(text, image, guidance_scale), PATCH)
        length = to_tokens(text, PATCH).norm(dim=-1, keepdim=True)
        return to_latents(guided * (length / guided.norm(dim=-1, keepdim=True)), text.shape, PATCH)
