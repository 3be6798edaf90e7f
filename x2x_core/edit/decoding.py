"""Decoding latents, and checks that the numbers of a model are finite."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

from .backbones.protocol import EditBackbone


def decode(backbone: EditBackbone, image_latents: torch.Tensor) -> torch.Tensor:
    """Decode image latents to pixels `(B, C, H, W)`, about [-1, 1], in the VAE's own precision.

    Raises:
        InputError: the decoder's output is not finite.
    """
    decoded = backbone.decode(image_latents)
    if not torch.isfinite(decoded).all():
        raise InputError(
            f"The VAE decoded to numbers that are not finite in {_name(decoded.dtype)}. Load the pipeline in float32, "
            "or upcast the VAE alone: `pipe.vae.to(torch.float32)`."
            if decoded.dtype != torch.float32
            else "The VAE decoded to numbers that are not finite in float32: its weights are damaged, or its input is "
            "out of range. Check the checkpoint, and lower `guidance_scale`."
        )
    return decoded


def check_latents(latents: torch.Tensor) -> None:
    """Check that denoised latents are finite.

    Raises:
        InputError: they are not.
    """
    if not torch.isfinite(latents).all():
        raise InputError(
            f"Denoising gave latents that are not finite, in {_name(latents.dtype)}. In half precision, load the "
            "pipeline in float32 or bfloat16; else lower `guidance_scale`, or check the scheduler."
        )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
