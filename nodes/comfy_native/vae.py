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

# Stable Diffusion's autoencoder, which ComfyUI knows.
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
    """See that an autoencoder takes and gives pictures in colour, as ComfyUI's are.

    Args:
        config: its configuration.

    Raises:
        InputError: it does not.
    """
    channels = config.get("in_channels", 3), config.get("out_channels", 3)
    if channels != (3, 3):
        raise InputError(
            f"The autoencoder must take and give 3 channels for ComfyUI, but takes {channels[0]} and gives "
            f"{channels[1]}. Use the pipeline nodes for this checkpoint."
        )


def load_vae(
    weights: dict[str, torch.Tensor], config: Mapping[str, Any], dtype: torch.dtype | None = None
) -> comfy.sd.VAE:
    """ComfyUI's VAE: Stable Diffusion's by ComfyUI's own network, another by diffusers' under ComfyUI's management.

    Args:
        weights: by diffusers name, of the shapes that the configuration asks for.
        config: the autoencoder's.
        dtype: of the weights; ``None`` is ComfyUI's choice.
    """
    if all(config.get(name, value) == value for name, value in STABLE_DIFFUSION.items()):
        return comfy.sd.VAE(sd=weights, dtype=dtype)
    autoencoder = AutoencoderKL.from_config(config)
    autoencoder.load_state_dict(weights)
    return _managed(autoencoder, dtype)


class _Autoencoder(torch.nn.Module):
    """diffusers' autoencoder behind the two calls that ComfyUI's VAE makes."""

    def __init__(self, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels `(B, 3, H, W)` in [-1, 1] to unscaled latents `(B, C, h, w)`: the posterior's mode."""
        return self.autoencoder.encode(pixels).latent_dist.mode()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Unscaled latents to pixels."""
        return self.autoencoder.decode(latents, return_dict=False)[0]


def _managed(autoencoder: AutoencoderKL, dtype: torch.dtype | None) -> comfy.sd.VAE:
    """ComfyUI's VAE around an autoencoder: built around the smallest of ComfyUI's own, which it then replaces."""
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
    vae.size = None  # newer ComfyUI measures it again when asked
    return vae
