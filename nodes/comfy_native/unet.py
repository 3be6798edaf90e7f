"""A diffusers U-Net as ComfyUI's MODEL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.supported_models
import comfy.utils
import torch

from x2x_core.conversion.unet_names import unet_names

from .unet_config import PREDICTIONS

COMFY_GROUPS = 32  # groups of every group normalisation in ComfyUI's U-Net


def load_unet(
    weights: Mapping[str, torch.Tensor],
    shape: dict[str, Any],
    groups: int | None,
    sampling: dict[str, Any],
    vae_scale: float,
    dtype: torch.dtype | None = None,
) -> comfy.model_patcher.ModelPatcher:
    """Return ComfyUI's InstructPix2Pix model with the weights of a diffusers U-Net.

    Args:
        weights: by diffusers' name.
        shape: from `unet_config.unet_shape`.
        groups: of every group normalisation; ``None``: Stable Diffusion's number.
        sampling: from `unet_config.sampling_settings`.
        vae_scale: factor by which latents are scaled for the U-Net.
        dtype: of the weights; ``None``: chosen by ComfyUI.
    """
    names = unet_names(weights)
    weights = {names[name]: value for name, value in weights.items()}
    model_config = _ModelConfig(shape, sampling, vae_scale)
    load_device = comfy.model_management.get_torch_device()
    weight_dtype = dtype or comfy.model_management.unet_dtype(
        model_params=comfy.utils.calculate_parameters(weights),
        supported_dtypes=model_config.supported_inference_dtypes,
        weight_dtype=comfy.utils.weight_dtype(weights),
    )
    compute_dtype = comfy.model_management.unet_manual_cast(
        weight_dtype, load_device, model_config.supported_inference_dtypes
    )
    model_config.set_inference_dtype(weight_dtype, compute_dtype)
    if groups not in (None, COMFY_GROUPS):
        model_config.custom_operations = _grouped(comfy.ops.pick_operations(weight_dtype, compute_dtype), groups)
    offload_device = comfy.model_management.unet_offload_device()
    model = model_config.get_model(weights).to(offload_device)
    model.diffusion_model.load_state_dict(weights)
    return comfy.model_patcher.ModelPatcher(model, load_device=load_device, offload_device=offload_device)


class _ModelConfig(comfy.supported_models.SD15_instructpix2pix):
    """ComfyUI's configuration of an InstructPix2Pix model with a checkpoint's shape and noise schedule."""

    def __init__(self, shape: dict[str, Any], sampling: dict[str, Any], vae_scale: float) -> None:
        super().__init__(shape)
        self.unet_config.update(shape)  # the base class sets Stable Diffusion's number of heads
        self.sampling_settings = sampling
        self.prediction = PREDICTIONS[sampling["prediction_type"]]
        self.latent_format.scale_factor = vae_scale
        self.latent_format.latent_channels = shape["out_channels"]
        if shape["model_channels"] != comfy.supported_models.SD15.unet_config["model_channels"]:
            # ComfyUI's preview colours are those of Stable Diffusion's autoencoder
            self.latent_format.latent_rgb_factors = self.latent_format.taesd_decoder_name = None

    def get_model(
        self, state_dict: Mapping[str, torch.Tensor], prefix: str = "", device: torch.device | None = None
    ) -> comfy.model_base.SD15_instructpix2pix:
        """Return the model without weights, as ComfyUI calls it."""
        return comfy.model_base.SD15_instructpix2pix(self, model_type=self.prediction, device=device)


def _grouped(operations: Any, groups: int) -> type:
    """Return ComfyUI's layers with another number of groups in every group normalisation."""

    class Grouped(operations):
        class GroupNorm(operations.GroupNorm):
            def __init__(self, num_groups: int, *args: Any, **kwargs: Any) -> None:
                super().__init__(groups, *args, **kwargs)

    return Grouped
