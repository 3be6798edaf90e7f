"""The native graph in the form that a ComfyUI server takes, for tests."""

from x2x_core import Instruction
from x2x_core.edit.settings import DEFAULT


def graph(checkpoint, image, text, twin=True, steps=1, scales=(1.6, 1.0), seed=0, scheduler="simple", soft_edge=None):
    """The whole native graph in the form that `POST /prompt` takes.

    Args:
        checkpoint: as X2XLoadNative's menu names it.
        image: a file of ComfyUI's input folder, of a size that the model works on.
        text: the instruction.
        twin: whether the edit is compared with the same noise denoised without the instruction.
        steps, scales, seed, scheduler: of the edit; the defaults are the demo's for an effusion.
        soft_edge: of the composition; `None`: as for a region of the atlas.

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
            latent=["encode", 0], noise_level="recommended", draws=0, seed=seed, place=["pseudomask", 4],
        ),
        "pseudomask": node(
            "X2XPseudomask", instruction=text, image=["image", 0], align=True, seed=seed, draw_extent=True,
        ),
        "guidance": node(
            "X2XGuidanceMap", pseudomask=["pseudomask", 0], relevance=["relevance", 0], mask_rule="adaptive",
            threshold=0.1, remove_islands=True, close_holes=True, soft_edge=0.0, places=["pseudomask", 2],
        ),
        "random": node("RandomNoise", noise_seed=seed),
        "noise": node(
            "X2XPlaceHint", noise=["random", 0], model=["load", 0], place=["pseudomask", 4], strength=-1.0,
        ),
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
            soft_edge=DEFAULT.soft_edge_for(Instruction.parse(text)) if soft_edge is None else soft_edge, strength=1.0,
            unchanged=["unchanged", 0], places=["pseudomask", 2],
        ),
        "save": node("SaveImage", images=["compose", 0], filename_prefix="native"),
        "map picture": node("MaskToImage", mask=["relevance", 0]),
        "map": node("SaveImage", images=["map picture", 0], filename_prefix="relevance"),
    }  # fmt: skip
