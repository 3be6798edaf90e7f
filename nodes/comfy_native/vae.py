"""A diffusers autoencoder as ComfyUI's VAE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import comfy.ldm.models.autoencoder
import comfy.model_patcher
import comfy.sd
import torch
from diffusers import AutoencoderKL

from x2x_core.common.errors import InputError

# Configuration of Stable Diffusion's autoencoder, which ComfyUI implements.
STABLE_DIFFUSION = {
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 4,
    "norm_num_groups": 32,
    "in_channels": 3,
    "out_channels": 3,
    "mid_block_add_attention": True,
    "use_quant_conv": True,
    "use_post_quant_conv": True,
}


def check_vae(config: Mapping[str, Any]) -> None:
    """Check that an autoencoder encodes and decodes colour pictures, as ComfyUI requires.

    Args:
        config: of the autoencoder.

    Raises:
        InputError: it has other channels.
    """
    channels = config.get("in_channels", 3), config.get("out_channels", 3)
    if channels != (3, 3):
        raise InputError(
            f"ComfyUI requires an autoencoder with 3 input and 3 output channels, got {channels[0]} and {channels[1]}. "
            "Use the pipeline nodes for this checkpoint."
        )


def load_vae(
    weights: dict[str, torch.Tensor], config: Mapping[str, Any], dtype: torch.dtype | None = None
) -> comfy.sd.VAE:
    """Return ComfyUI's VAE.

    Stable Diffusion's autoencoder runs in ComfyUI's own network, any other in diffusers', under ComfyUI's management.

    Args:
        weights: by diffusers' name.
        config: of the autoencoder.
        dtype: of the weights; ``None``: chosen by ComfyUI.
    """
    if all(config.get(name, value) == value for name, value in STABLE_DIFFUSION.items()):
        return comfy.sd.VAE(sd=weights, dtype=dtype)
    autoencoder = AutoencoderKL.from_config(config)
    autoencoder.load_state_dict(weights)
    return _managed(autoencoder, dtype)


class _Autoencoder(torch.nn.Module):
    """Adapter of diffusers' autoencoder to the two calls of ComfyUI's VAE."""

    def __init__(self, autoencoder: Any) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode pixels `(B, 3, H, W)` in [-1, 1] to unscaled latents `(B, C, h, w)`, the mode of the posterior."""
        return self.autoencoder.encode(pixels).latent_dist.mode()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Decode unscaled latents `(B, C, h, w)` to pixels `(B, 3, H, W)`."""
        return self.autoencoder.decode(latents, return_dict=False)[0]


def _managed(autoencoder: Any, dtype: torch.dtype | None) -> comfy.sd.VAE:
    """Return ComfyUI's VAE for an autoencoder: ComfyUI builds a minimal one, which is then replaced."""
    small = {
        "embed_dim": 4,
        "ddconfig": {
            "double_z": True, "z_channels": 4, "resolution": 32, "in_channels": 3, "out_ch": 3, "ch": 32,
            "ch_mult": [1], "num_res_blocks": 1, "attn_resolutions": [], "dropout": 0.0,
        },
    }  # fmt: skip
    placeholder = comfy.ldm.models.autoencoder.AutoencoderKL(**small)
    vae = comfy.sd.VAE(sd=placeholder.state_dict(), config={"params": small}, dtype=dtype)
    vae.first_stage_model = _Autoencoder(autoencoder).eval().to(vae.vae_dtype)
    vae.patcher = comfy.model_patcher.ModelPatcher(
        vae.first_stage_model, load_device=vae.patcher.load_device, offload_device=vae.patcher.offload_device
    )
    vae.latent_channels = autoencoder.config.latent_channels
    vae.downscale_ratio = vae.upscale_ratio = 2 ** (len(autoencoder.config.block_out_channels) - 1)
    vae.size = None  # newer versions of ComfyUI recompute it
    return vae
