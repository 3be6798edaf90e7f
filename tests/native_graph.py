"""The native graph in Python: what its nodes and ComfyUI's own do one after the other, for tests."""

from __future__ import annotations

import importlib

import numpy as np
import torch

PACK = "instructx2x_pack"
STEPS = 4


def pack(module):
    """A module of the pack's nodes."""
    return importlib.import_module(f"{PACK}.nodes.{module}")


def encode(clip, text):
    """CLIP Text Encode."""
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


def to_image(radiograph):
    """A Pillow picture or an array of whole numbers as an IMAGE `(1, H, W, 3)`."""
    pixels = torch.from_numpy(np.asarray(radiograph).astype(np.float32) / 255)
    return pixels[None, ..., None].expand(-1, -1, -1, 3)


def run(guider, latent, sigmas, seed=0, sampler="euler"):
    """RandomNoise, KSamplerSelect and SamplerCustomAdvanced: the denoised LATENT's samples."""
    import comfy.samplers
    from comfy_extras import nodes_custom_sampler as custom

    noise = custom.RandomNoise.execute(seed).result[0]
    sampler = comfy.samplers.sampler_object(sampler) if isinstance(sampler, str) else sampler
    return custom.SamplerCustomAdvanced.execute(noise, guider, sampler, sigmas, latent).result[0]["samples"]
