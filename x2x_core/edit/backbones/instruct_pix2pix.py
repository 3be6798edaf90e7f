"""InstructPix2Pix on Stable Diffusion 1.5 (Brooks et al., 2023).

The guidance batch is [text, image, neither]; the image's latents, the unscaled mode of the VAE's posterior, are
concatenated to the noisy latents, which are scaled, along the channels; they are zeros in the last branch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.utils import USE_PEFT_BACKEND, scale_lora_layers, unscale_lora_layers

from x2x_core.guidance.cfg import guided_noise

from ..published import published_scheduler
from ..solvers import make_solver
from ..windows import Windows
from .conditioning import THREE_BRANCHES, Conditioning, PromptInputs
from .diffusion import DiffusionSchedule
from .instruct_pix2pix_checks import check_ip_adapters, check_text_inputs, check_unet
from .protocol import Geometry, Traits
from .stable_diffusion import decoded, posterior_mode, unet_geometry
from .window_encoder import encode_windows

# The most items of one call of the U-Net for a relevance map, or for an edit and its twin.
RELEVANCE_BATCH = 24
_CALLBACK_TENSORS = ("latents", "prompt_embeds", "image_latents")
_IP_ADAPTER = "ip_adapter_"  # and its number: the name of its states in a conditioning


@dataclass(frozen=True)
class InstructPix2Pix:
    """A `StableDiffusionInstructPix2PixPipeline`."""

    pipe: Any

    @property
    def traits(self) -> Traits:
        """Three branches."""
        return Traits(THREE_BRANCHES, _CALLBACK_TENSORS, relevance_batch=RELEVANCE_BATCH, joined_batch=RELEVANCE_BATCH)

    @property
    def geometry(self) -> Geometry:
        """The sizes of its U-Net and autoencoder."""
        return unet_geometry(self.pipe)

    @property
    def unet(self) -> Any:
        """The U-Net, whose cross-attention can be recorded and gated."""
        return self.pipe.unet

    @property
    def window_step(self) -> int:
        """Latent cells that the U-Net's second coarsest layer joins to one; the coarsest rounds up."""
        return max(2 ** (len(self.pipe.unet.config.block_out_channels) - 2), 1)

    def cut(self, conditioning: Conditioning, windows: Windows) -> Conditioning:
        """Return the conditioning with the image's latents in the windows."""
        return conditioning.replaced({"image_latents": windows.cut(conditioning.tensors["image_latents"])})

    def check(self, prompts: PromptInputs) -> None:
        """Check the U-Net's channels, and that text and IP-Adapters can be encoded.

        Raises:
            InputError: they can't.
        """
        check_unet(self.pipe.unet, self.pipe.vae.config.latent_channels)
        check_ip_adapters(self.pipe.unet, prompts.ip_adapter_image, prompts.ip_adapter_image_embeds)
        check_text_inputs(self.pipe, prompts.embeds, prompts.negative_embeds)

    def schedule(self, published: bool = False, solver: str | None = None) -> DiffusionSchedule:
        """Return the pipeline's schedule, or DDIM on Stable Diffusion's."""
        scheduler = self.pipe.scheduler
        if published:
            return DiffusionSchedule(published_scheduler(scheduler))
        return DiffusionSchedule(scheduler if solver is None else make_solver(solver, scheduler))

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the unscaled mode of the posterior, `(V, C, h, w)`."""
        return posterior_mode(self.pipe, pixels)

    def encode_windows(self, pixels: torch.Tensor, windows: Windows) -> torch.Tensor:
        """Return the same in windows of the pictures, nearly."""
        return encode_windows(self.pipe.vae, self.encode_image, pixels, windows)

    def decode(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Decode unscaled latents."""
        return decoded(self.pipe, image_latents)

    def to_latents(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Multiply by the VAE's scaling factor."""
        return image_latents * self.pipe.vae.config.scaling_factor

    def to_image_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Divide by the VAE's scaling factor."""
        return latents / self.pipe.vae.config.scaling_factor

    def condition(self, prompts: PromptInputs, pixels: torch.Tensor, image_latents: torch.Tensor) -> Conditioning:
        """Encode the prompts and IP-Adapter inputs, for all three branches."""
        pipe, device = self.pipe, image_latents.device
        with _lora_scaled(pipe.text_encoder, (prompts.cross_attention_kwargs or {}).get("scale")):
            prompt_embeds = pipe._encode_prompt(
                prompts.wordings,
                device,
                prompts.copies,
                True,
                prompts.negative,
                prompt_embeds=prompts.embeds,
                negative_prompt_embeds=prompts.negative_embeds,
            )
        adapters: list[torch.Tensor] = []
        if prompts.ip_adapter_image is not None or prompts.ip_adapter_image_embeds is not None:
            adapters = pipe.prepare_ip_adapter_image_embeds(
                prompts.ip_adapter_image, prompts.ip_adapter_image_embeds, device, len(image_latents), True
            )
        image_latents = image_latents.to(prompt_embeds.dtype)
        tensors = {
            "prompt_embeds": prompt_embeds,
            "image_latents": torch.cat([image_latents, image_latents, torch.zeros_like(image_latents)]),
            **{f"{_IP_ADAPTER}{number}": states for number, states in enumerate(adapters)},
        }
        shared = {"cross_attention_kwargs": prompts.cross_attention_kwargs}
        return Conditioning(THREE_BRANCHES, tensors, prompt_embeds.dtype, shared)

    def predict(
        self,
        conditioning: Conditioning,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        guidance_scale: float | torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Predict for all branches in one call of the U-Net."""
        count, tensors = len(conditioning.branches), conditioning.tensors
        adapters = [states for name, states in tensors.items() if name.startswith(_IP_ADAPTER)]
        prediction = self.pipe.unet(
            torch.cat([torch.cat([noisy] * count), tensors["image_latents"]], dim=1),
            timesteps.repeat(count),
            encoder_hidden_states=tensors["prompt_embeds"],
            added_cond_kwargs={"image_embeds": adapters} if adapters else None,
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


@contextmanager
def _lora_scaled(text_encoder: Any, scale: float | None) -> Iterator[None]:
    """Weight the text encoder's LoRA layers by `scale`, as `cross_attention_kwargs` does for the U-Net's."""
    if scale is None or text_encoder is None or not USE_PEFT_BACKEND:
        yield
        return
    scale_lora_layers(text_encoder, scale)
    try:
        yield
    finally:
        unscale_lora_layers(text_encoder, scale)
