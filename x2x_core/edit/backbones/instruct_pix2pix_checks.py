"""Checks that the parts of an InstructPix2Pix pipeline fit each other, the prompts, and IP-Adapter inputs."""

from __future__ import annotations

from typing import Any

import torch

from x2x_core.common.errors import InputError


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


def check_text_inputs(pipe: Any, embeds: torch.Tensor | None, negative_embeds: torch.Tensor | None) -> None:
    """Check that all text that is not given encoded can be encoded, and that the rest fits it.

    Args:
        pipe: its text encoder, tokenizer and U-Net.
        embeds: the prompts, encoded.
        negative_embeds: the negative prompts, encoded.

    Raises:
        InputError: a missing text encoder, or embeddings of another width or number of tokens.
    """
    if pipe.text_encoder is None and (embeds is None or negative_embeds is None):
        missing = "prompt_embeds" if embeds is None else "negative_prompt_embeds"
        raise InputError(f"`{missing}` must be given: this pipeline has no text encoder.")
    width = pipe.unet.config.cross_attention_dim
    for name, given in (("prompt_embeds", embeds), ("negative_prompt_embeds", negative_embeds)):
        if given is not None and isinstance(width, int) and given.shape[-1] != width:
            raise InputError(f"`{name}` must be of width {width}, as this checkpoint's, got {given.shape[-1]}.")
    if embeds is None and negative_embeds is not None and negative_embeds.shape[1] != pipe.tokenizer.model_max_length:
        raise InputError(
            f"`negative_prompt_embeds` must hold {pipe.tokenizer.model_max_length} tokens, as the prompt, got "
            f"{negative_embeds.shape[1]}."
        )


def check_ip_adapters(unet: Any, image: Any, embeds: Any) -> None:
    """Check that IP-Adapters get one kind of input, one for each adapter, and only if they are loaded.

    Args:
        unet: the adapters' own.
        image: the pictures.
        embeds: the pictures, encoded.

    Raises:
        InputError: they don't.
    """
    if image is not None and embeds is not None:
        raise InputError("`ip_adapter_image` and `ip_adapter_image_embeds` must not both be given: leave one out.")
    if embeds is not None:
        if not isinstance(embeds, list) or not embeds or not all(isinstance(own, torch.Tensor) for own in embeds):
            raise InputError(
                "`ip_adapter_image_embeds` must be a list of tensors, one for each adapter, got "
                f"{type(embeds).__name__}."
            )
        if any(own.ndim not in (3, 4) for own in embeds):
            shape = next(tuple(own.shape) for own in embeds if own.ndim not in (3, 4))
            raise InputError(f"`ip_adapter_image_embeds` must hold tensors of 3 or 4 dimensions, got {shape}.")
    projection = getattr(unet, "encoder_hid_proj", None)
    loaded = len(getattr(projection, "image_projection_layers", ()))
    if image is None and embeds is None:
        if loaded:
            raise InputError(
                f"`ip_adapter_image` must be given, one for each of {loaded} loaded IP-Adapters. Call "
                "`unload_ip_adapter()` to edit without."
            )
        return
    given, name = (image, "ip_adapter_image") if embeds is None else (embeds, "ip_adapter_image_embeds")
    count = len(given) if isinstance(given, list) else 1
    if count != loaded:
        raise InputError(f"`{name}` must be one for each of the {loaded} loaded IP-Adapters, got {count}.")
