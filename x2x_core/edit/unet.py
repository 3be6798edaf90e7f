"""The U-Net of InstructPix2Pix: the only module that knows how its inputs are laid out.

The guidance batch is [text, image, unconditional]; the image's latents, the unscaled mode of the VAE's posterior, are
concatenated to the noisy latents, which are scaled, along the channels; they are zeros in the unconditional branch.
Everything else in `edit` and `guidance` asks for predictions "with and without the instruction" or "of each branch".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from diffusers.utils import USE_PEFT_BACKEND, scale_lora_layers, unscale_lora_layers

from x2x_core.common.errors import InputError
from x2x_core.guidance.attention.gate import AttentionGate
from x2x_core.guidance.cfg import BRANCHES

if TYPE_CHECKING:
    from x2x_core.pipeline import InstructX2XPipeline

# Side of the U-Net's canvas in latent cells, if its config does not say.
USUAL_CELLS = 64


@dataclass(frozen=True)
class PromptInputs:
    """The prompts of P pairs and other conditions, before they are encoded."""

    wordings: list[str] | None  # P, as the text encoder reads them; None if embeddings were given
    embeds: torch.Tensor | None = None  # (P, tokens, width)
    negative: list[str] | None = None  # P
    negative_embeds: torch.Tensor | None = None  # (P, tokens, width)
    copies: int = 1  # outputs of each pair
    ip_adapter_image: Any = None
    ip_adapter_image_embeds: list[torch.Tensor] | None = None
    cross_attention_kwargs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Conditioning:
    """Conditioning of the U-Net for B outputs: everything but the noisy latents."""

    prompt_embeds: torch.Tensor  # (3B, tokens, width), branch by branch
    image_embeds: list[torch.Tensor] | None  # of IP-Adapters, each (3B, ...)
    cross_attention_kwargs: dict[str, Any] | None
    image_latents: torch.Tensor  # (B, C, h, w), unscaled


def check_unet(unet: Any, latent_channels: int) -> None:
    """Check that a U-Net is one of InstructPix2Pix.

    Raises:
        InputError: it takes another number of channels.
    """
    expected = unet.config.in_channels
    if expected != 2 * latent_channels:
        raise InputError(
            f"`unet` must take {2 * latent_channels} channels, the noisy latents and the image's, but it takes "
            f"{expected}: this is not an InstructPix2Pix checkpoint."
        )


def canvas_cells(unet: Any) -> int:
    """Return the side of the U-Net's native canvas in latent cells."""
    cells = unet.config.sample_size or USUAL_CELLS
    return cells if isinstance(cells, int) else max(cells)


def text_width(unet: Any) -> int | None:
    """Return the width of the text states that the U-Net attends to; ``None`` if its layers differ."""
    width = unet.config.cross_attention_dim
    return width if isinstance(width, int) else None


def ip_adapter_count(unet: Any) -> int:
    """Return the number of IP-Adapters that are loaded."""
    projection = getattr(unet, "encoder_hid_proj", None)
    return len(getattr(projection, "image_projection_layers", ()))


def encode_prompts(
    pipe: InstructX2XPipeline, prompts: PromptInputs, outputs: int, device: torch.device
) -> tuple[torch.Tensor, list[torch.Tensor] | None]:
    """Encode the prompts and IP-Adapter inputs of B outputs, for all branches.

    Returns:
        The text states `(3B, tokens, width)`, and those of IP-Adapters, or ``None``.
    """
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
    if prompts.ip_adapter_image is None and prompts.ip_adapter_image_embeds is None:
        return prompt_embeds, None
    image_embeds = pipe.prepare_ip_adapter_image_embeds(
        prompts.ip_adapter_image, prompts.ip_adapter_image_embeds, device, outputs, True
    )
    return prompt_embeds, image_embeds


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


def predict_with_and_without(
    pipe: InstructX2XPipeline, conditioning: Conditioning, noisy: torch.Tensor, timesteps: list[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Predict with the instruction and without it, in one call of the U-Net.

    Args:
        pipe: the pipeline.
        conditioning: of B outputs.
        noisy: `(B, K, C, h, w)`, K noisy versions of each.
        timesteps: K, the noise level of each version.

    Returns:
        Two predictions `(B, K, C, h, w)`: from text and image, and from the image alone.
    """
    outputs, draws = noisy.shape[:2]
    flat = noisy.flatten(0, 1)
    image_latents = conditioning.image_latents.repeat_interleave(draws, dim=0)
    prompt_embeds, *image_embeds = (
        states[: 2 * outputs].repeat_interleave(draws, dim=0)
        for states in (conditioning.prompt_embeds, *(conditioning.image_embeds or ()))
    )
    prediction = _call_unet(
        pipe,
        torch.cat([torch.cat([flat, image_latents], dim=1)] * 2),
        torch.tensor(timesteps, device=flat.device).repeat(2 * outputs),
        prompt_embeds,
        image_embeds,
        conditioning.cross_attention_kwargs,
    )
    text, image = (branch.unflatten(0, (outputs, draws)) for branch in prediction.chunk(2))
    return text, image


class BranchInputs:
    """The U-Net's inputs for consecutive branches; callbacks may replace `prompt_embeds` and `image_latents`.

    Args:
        conditioning: of B outputs.
        branches: of [text, image, unconditional].
    """

    def __init__(self, conditioning: Conditioning, branches: slice) -> None:
        image_latents = conditioning.image_latents
        latents = [image_latents, image_latents, torch.zeros_like(image_latents)][branches]
        self.tensors = {"prompt_embeds": _chosen(conditioning.prompt_embeds, branches)}
        self.tensors["image_latents"] = torch.cat(latents)
        self._image_embeds = [_chosen(states, branches) for states in conditioning.image_embeds or ()]
        self._cross_attention_kwargs = conditioning.cross_attention_kwargs
        self._count = len(latents)

    def predict(
        self, pipe: InstructX2XPipeline, scheduler: Any, latents: torch.Tensor, timestep: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Return the prediction `(B, C, h, w)` of each branch for noisy latents `(B, C, h, w)`."""
        scaled = scheduler.scale_model_input(torch.cat([latents] * self._count), timestep)
        prediction = _call_unet(
            pipe,
            torch.cat([scaled, self.tensors["image_latents"]], dim=1),
            timestep,
            self.tensors["prompt_embeds"],
            self._image_embeds,
            self._cross_attention_kwargs,
        )
        return prediction.chunk(self._count)


def all_branches(conditioning: Conditioning) -> BranchInputs:
    """Return the inputs of [text, image, unconditional]."""
    return BranchInputs(conditioning, slice(BRANCHES))


def text_branch(conditioning: Conditioning) -> BranchInputs:
    """Return the inputs of the text branch alone, for scales of 1, where guidance makes no difference."""
    return BranchInputs(conditioning, slice(1))


def branches_without_text(conditioning: Conditioning, unconditional: bool) -> BranchInputs:
    """Return the inputs of the image branch, and of the unconditional branch if it is needed."""
    return BranchInputs(conditioning, slice(1, BRANCHES if unconditional else 2))


def attention_gate(conditioning: Conditioning, cells: torch.Tensor, all_branches: bool) -> AttentionGate:
    """Return a gate that restricts the text branch to the mask's cells.

    Args:
        conditioning: of B outputs.
        cells: `(B, 1, h, w)` bool.
        all_branches: False if the U-Net runs on the text branch alone, which needs the null text's states.
    """
    null_states = None if all_branches else conditioning.prompt_embeds.chunk(BRANCHES)[1]
    return AttentionGate(cells, null_states)


def _chosen(states: torch.Tensor, branches: slice) -> torch.Tensor:
    return torch.cat(states.chunk(BRANCHES)[branches])


def _call_unet(
    pipe: InstructX2XPipeline,
    sample: torch.Tensor,
    timestep: torch.Tensor,
    prompt_embeds: torch.Tensor,
    image_embeds: list[torch.Tensor],
    cross_attention_kwargs: dict[str, Any] | None,
) -> torch.Tensor:
    return pipe.unet(
        sample,
        timestep,
        encoder_hidden_states=prompt_embeds,
        added_cond_kwargs={"image_embeds": image_embeds} if image_embeds else None,
        cross_attention_kwargs=cross_attention_kwargs,
        return_dict=False,
    )[0]
