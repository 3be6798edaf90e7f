"""The native graph in Python: what its nodes and ComfyUI's own do one after the other, for tests."""

from __future__ import annotations

import numpy as np
import torch
from comfy_pack import pack
from comfy_pack import run as run_node
from tiny_models import PROMPT

STEPS = 4
SCALES = (5.0, 1.5)


def load(folder, dtype="float32"):
    """MODEL, CLIP and VAE of a checkpoint."""
    return pack("native_loading").load_native(folder, dtype)


def encode(clip, text):
    """CLIP Text Encode."""
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


def to_image(radiograph):
    """A Pillow picture or an array of whole numbers as an IMAGE `(1, H, W, 3)`."""
    pixels = torch.from_numpy(np.asarray(radiograph).astype(np.float32) / 255)
    return pixels[None, ..., None].expand(-1, -1, -1, 3)


def texts(clip, text=PROMPT):
    """The positive and the negative CONDITIONING."""
    return encode(clip, text), encode(clip, "")


def relevance(native, latent, noise_level="0.8", draws=1, seed=0, text=PROMPT):
    """X2XNativeRelevanceMap's MASK."""
    positive, negative = texts(native[1], text)
    return run_node(
        "X2XNativeRelevanceMap", model=native[0], positive=positive, negative=negative, latent=latent,
        noise_level=noise_level, draws=draws, seed=seed,
    )[0]  # fmt: skip


def guide(native, latent, mask=None, scales=SCALES, text=PROMPT):
    """X2XRegionGuider's GUIDER."""
    positive, negative = texts(native[1], text)
    return run_node(
        "X2XRegionGuider", model=native[0], positive=positive, negative=negative, image_latent=latent,
        guidance_scale=scales[0], image_guidance_scale=scales[1], guidance_mask=mask,
    )[0]  # fmt: skip


def schedule(model, name="ddim_uniform", steps=STEPS):
    """BasicScheduler's SIGMAS."""
    import comfy.samplers

    return comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), name, steps)


def run(guider, latent, sigmas, seed=0, sampler="euler"):
    """RandomNoise, KSamplerSelect and SamplerCustomAdvanced: the denoised LATENT's samples."""
    import comfy.samplers
    from comfy_extras import nodes_custom_sampler as custom

    noise = _call(custom.RandomNoise, seed)[0]
    sampler = comfy.samplers.sampler_object(sampler) if isinstance(sampler, str) else sampler
    return _call(custom.SamplerCustomAdvanced, noise, guider, sampler, sigmas, latent)[0]["samples"]


def _call(node, *inputs):
    """One of ComfyUI's nodes, of the newer kind or of the older."""
    if hasattr(node, "execute"):
        return node.execute(*inputs).result
    return getattr(node(), node.FUNCTION)(*inputs)


def graph(checkpoint, image, text, twin=True, steps=STEPS, scales=(0.8, 1.0), seed=0, scheduler="simple"):
    """The whole native graph in the form that `POST /prompt` takes.

    Args:
        checkpoint: as X2XLoadNative's menu names it.
        image: a file of ComfyUI's input folder, of a size that the model works on.
        text: the instruction.
        twin: whether the edit is compared with the same noise denoised without the instruction.
        steps, scales, seed, scheduler: of the edit.

    Returns:
        Nodes by name; "save" writes the picture and "map" the relevance map.
    """

    def node(kind, **inputs):
        return {"class_type": kind, "inputs": inputs}

    def guider(scale):
        return node(
            "X2XRegionGuider", model=["load", 0], positive=["text", 0], negative=["empty", 0],
            image_latent=["encode", 0], guidance_scale=scale, image_guidance_scale=scales[1],
            guidance_mask=["guidance", 1],
        )  # fmt: skip

    def sample(name):
        return node(
            "SamplerCustomAdvanced", noise=["noise", 0], guider=[name, 0], sampler=["sampler", 0],
            sigmas=["sigmas", 0], latent_image=["encode", 0],
        )  # fmt: skip

    def decode(name):
        return node("VAEDecode", samples=[name, 0], vae=["load", 2])

    return {
        "load": node("X2XLoadNative", checkpoint=checkpoint, dtype="float32"),
        "image": node("LoadImage", image=image),
        "encode": node("VAEEncode", pixels=["image", 0], vae=["load", 2]),
        "text": node("CLIPTextEncode", clip=["load", 1], text=text),
        "empty": node("CLIPTextEncode", clip=["load", 1], text=""),
        "relevance": node(
            "X2XNativeRelevanceMap", model=["load", 0], positive=["text", 0], negative=["empty", 0],
            latent=["encode", 0], noise_level="recommended", draws=0, seed=seed,
        ),
        "pseudomask": node("X2XPseudomask", instruction=text, image=["image", 0], align=True),
        "guidance": node(
            "X2XGuidanceMap", pseudomask=["pseudomask", 0], relevance=["relevance", 0], mask_rule="adaptive",
            threshold=0.1, remove_islands=True, close_holes=True, soft_edge=0.0, instruction=text,
        ),
        "noise": node("RandomNoise", noise_seed=seed),
        "sampler": node("KSamplerSelect", sampler_name="euler"),
        "sigmas": node("BasicScheduler", model=["load", 0], scheduler=scheduler, steps=steps, denoise=1.0),
        "guider": guider(scales[0]),
        "edit": sample("guider"),
        "twin guider": guider(0.0),
        "twin": sample("twin guider"),
        "edited": decode("edit"),
        "unchanged": decode("twin" if twin else "encode"),
        "compose": node(
            "X2XNativeCompose", image=["image", 0], edited=["edited", 0], guidance_mask=["guidance", 1],
            soft_edge=0.02, strength=1.0, unchanged=["unchanged", 0],
        ),
        "save": node("SaveImage", images=["compose", 0], filename_prefix="native"),
        "map picture": node("MaskToImage", mask=["relevance", 0]),
        "map": node("SaveImage", images=["map picture", 0], filename_prefix="relevance"),
    }  # fmt: skip
