"""The native graph in Python: the steps of its nodes and of ComfyUI's own, for tests."""

from __future__ import annotations

import numpy as np
import torch
from comfy_pack import pack
from comfy_pack import run as run_node
from tiny_models import PROMPT

STEPS = 4
SCALES = (5.0, 1.5)


def load(folder, dtype="float32"):
    """Load MODEL, CLIP and VAE of a checkpoint."""
    return pack("comfy_native.loading").load_native(folder, dtype)


def encode(clip, text):
    """CLIP Text Encode."""
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


def to_image(radiograph):
    """Convert a Pillow picture or an integer array to an IMAGE `(1, H, W, 3)`."""
    pixels = torch.from_numpy(np.asarray(radiograph).astype(np.float32) / 255)
    return pixels[None, ..., None].expand(-1, -1, -1, 3)


def texts(clip, text=PROMPT):
    """Return the positive and the negative CONDITIONING."""
    return encode(clip, text), encode(clip, "")


def relevance(native, latent, noise_level="0.8", draws=1, seed=0, text=PROMPT, **more):
    """Return the MASK of X2XNativeRelevanceMap."""
    positive, negative = texts(native[1], text)
    return run_node(
        "X2XNativeRelevanceMap", model=native[0], positive=positive, negative=negative, latent=latent,
        noise_level=noise_level, draws=draws, seed=seed, **more,
    )[0]  # fmt: skip


def guide(native, latent, mask=None, scales=SCALES, text=PROMPT):
    """Return the GUIDER of X2XRegionGuider."""
    positive, negative = texts(native[1], text)
    return run_node(
        "X2XRegionGuider", model=native[0], positive=positive, negative=negative, image_latent=latent,
        guidance_scale=scales[0], image_guidance_scale=scales[1], guidance_mask=mask,
    )[0]  # fmt: skip


def schedule(model, name="ddim_uniform", steps=STEPS):
    """Return the SIGMAS of BasicScheduler."""
    import comfy.samplers

    return comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), name, steps)


def run(guider, latent, sigmas, seed=0, sampler="euler", hint=None):
    """Run RandomNoise, KSamplerSelect and SamplerCustomAdvanced, and return the samples of the denoised LATENT.

    `hint` holds the inputs of X2XPlaceHint besides the noise.
    """
    import comfy.samplers
    from comfy_extras import nodes_custom_sampler as custom

    noise = _call(custom.RandomNoise, seed)[0]
    noise = noise if hint is None else run_node("X2XPlaceHint", noise=noise, **hint)[0]
    sampler = comfy.samplers.sampler_object(sampler) if isinstance(sampler, str) else sampler
    return _call(custom.SamplerCustomAdvanced, noise, guider, sampler, sigmas, latent)[0]["samples"]


def _call(node, *inputs):
    """Run one of ComfyUI's nodes, of version 3 or 1."""
    if hasattr(node, "execute"):
        return node.execute(*inputs).result
    return getattr(node(), node.FUNCTION)(*inputs)
