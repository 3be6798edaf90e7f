"""A checkpoint in diffusers layout as ComfyUI's MODEL, CLIP and VAE.

ComfyUI knows InstructPix2Pix in Stable Diffusion's own layout and shape only. The parts are built of ComfyUI's classes
in the shape that the checkpoint's configuration gives, so that its samplers, memory management and patches work on them
as on any other model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import comfy.sd
import torch
from x2x_core.edit_settings import resolve_settings
from x2x_core.pipeline_loading import MODEL_INDEX, check_folder

from .native_text import load_text_encoder
from .native_unet import load_unet
from .native_vae import load_vae

# What describes each part.
CONFIGS = {
    "unet": "config.json",
    "scheduler": "scheduler_config.json",
    "text_encoder": "config.json",
    "vae": "config.json",
}
SETTINGS = "x2x_settings"  # the attachment of a MODEL that holds the `EditSettings` that its checkpoint recommends


def load_native(folder: Path, dtype: str) -> tuple[Any, comfy.sd.CLIP, comfy.sd.VAE]:
    """MODEL, CLIP and VAE of a checkpoint.

    Args:
        folder: in diffusers layout.
        dtype: "float32", "bfloat16" or "float16" of the weights; "auto" is ComfyUI's choice for each part, and so is
            the autoencoder's with "float16", which it can overflow.

    Raises:
        FileNotFoundError: a part is missing.
        ValueError: a part of another kind than ComfyUI's classes can hold.
    """
    check_folder(folder)
    configs = {part: read_config(folder / part / file) for part, file in CONFIGS.items()}
    number = None if dtype == "auto" else getattr(torch, dtype)
    vae_number = None if number == torch.float16 else number
    vae_scale = configs["vae"].get("scaling_factor", 0.18215)
    model = load_unet(folder / "unet", configs["unet"], configs["scheduler"], vae_scale, number)
    model.set_attachments(SETTINGS, resolve_settings({}, read_config(folder / MODEL_INDEX)))
    clip = load_text_encoder(folder / "text_encoder", configs["text_encoder"], folder / "tokenizer", number)
    return model, clip, load_vae(folder / "vae", configs["vae"], vae_number)


def read_config(file: Path) -> dict[str, Any]:
    """A part's configuration.

    Raises:
        ValueError: it can't be read.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"`{file}` must be a JSON object that describes this part, got: {error}.") from error
