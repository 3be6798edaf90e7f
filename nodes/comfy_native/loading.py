"""A checkpoint in diffusers layout as ComfyUI's MODEL, CLIP and VAE.

ComfyUI itself loads InstructPix2Pix only in Stable Diffusion's original layout and size. Here the parts are built from
ComfyUI's classes in the shape given by the checkpoint's configuration, so that ComfyUI's samplers, memory management
and patches work on them as on any other model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import comfy.sd
import torch

from x2x_core.common.checkpoint_layout import MODEL_INDEX
from x2x_core.conversion.checkpoint import CONFIGS, SCHEDULER, read_json
from x2x_core.conversion.folder import read_folder, read_small_files
from x2x_core.edit.loading import check_folder
from x2x_core.edit.settings import resolve_settings

from .text import load_text_encoder, text_shape
from .unet import load_unet
from .unet_config import sampling_settings, unet_shape
from .vae import check_vae, load_vae

SETTINGS = "x2x_settings"  # attachment of a MODEL with the `EditSettings` that its checkpoint recommends


def load_native(folder: Path, dtype: str) -> tuple[Any, comfy.sd.CLIP, comfy.sd.VAE]:
    """Load MODEL, CLIP and VAE of a checkpoint.

    Args:
        folder: in diffusers layout.
        dtype: of the weights, "float32", "bfloat16" or "float16"; "auto" leaves each part to ComfyUI. With "float16"
            the autoencoder, which can overflow, is left to ComfyUI too.

    Raises:
        InputNotFoundError: a part is missing.
        InputError: a part that ComfyUI's classes cannot represent, or weights of another shape.
    """
    check_folder(folder)
    files = read_small_files(folder)
    configs = {part: read_json(files, path) for part, path in CONFIGS.items()}
    shapes = unet_shape(configs["unet"]), text_shape(configs["text_encoder"])
    sampling = sampling_settings(read_json(files, SCHEDULER))
    check_vae(configs["vae"])  # all checks come before gigabytes are read
    weights = read_folder(folder).weights
    torch_dtype = None if dtype == "auto" else getattr(torch, dtype)
    vae_dtype = None if torch_dtype == torch.float16 else torch_dtype
    groups, vae_scale = configs["unet"].get("norm_num_groups"), configs["vae"].get("scaling_factor", 0.18215)
    model = load_unet(weights["unet"], shapes[0], groups, sampling, vae_scale, torch_dtype)
    model.set_attachments(SETTINGS, resolve_settings({}, read_json(files, MODEL_INDEX)))
    clip = load_text_encoder(weights["text_encoder"], shapes[1], folder / "tokenizer", torch_dtype)
    return model, clip, load_vae(weights["vae"], configs["vae"], vae_dtype)
