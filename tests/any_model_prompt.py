"""A graph of the method with any model, in the form that a ComfyUI server takes, for tests."""


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def graph(model, image, text="make it red", size=(64, 96), crop=None):
    """Edit a box of a picture with a tiny model of `comfy_models`.

    Args:
        model: its name.
        image: a file of ComfyUI's input folder.
        text: the instruction.
        size: height and width of the picture.
        crop: side of the crop around the box that is edited; ``None``: the whole picture is.

    Returns:
        Nodes by name; "save" writes the picture, "map" the relevance map and "mask" the guidance mask.
    """
    pixels, mask = (["crop", 0], ["crop", 1]) if crop else (["image", 0], ["guidance", 1])
    asked = {"model": ["load", 0], "positive": ["text", 0], "negative": ["empty", 0]}
    found = dict(asked)
    nodes = {
        "load": node("TinyModel", name=model),
        "image": node("LoadImage", image=image),
        "black": node("SolidMask", value=0.0, width=size[1], height=size[0]),
        "white": node("SolidMask", value=1.0, width=40, height=32),
        "box": node("MaskComposite", destination=["black", 0], source=["white", 0], x=16, y=16, operation="add"),
        "text": node("TinyText", tiny=["load", 2], text=text),
        "empty": node("TinyText", tiny=["load", 2], text=""),
        "whole": node("VAEEncode", pixels=["image", 0], vae=["load", 1]),
        "encode": node("VAEEncode", pixels=pixels, vae=["load", 1]),
    }
    if model in ("flux", "qwen-image"):
        for name, latent in (("found", "whole"), ("asked", "encode")):
            for text_name in ("text", "empty"):
                nodes[f"{text_name} {name}"] = node("ReferenceLatent", conditioning=[text_name, 0], latent=[latent, 0])
        found |= {"positive": ["text found", 0], "negative": ["empty found", 0]}
        asked |= {"positive": ["text asked", 0], "negative": ["empty asked", 0]}
    nodes |= {
        "relevance": node(
            "X2XNativeRelevanceMap", **found, latent=["whole", 0], noise_level="0.6", draws=2, seed=1,
            image=["image", 0],
        ),
        "guidance": node(
            "X2XGuidanceMap", pseudomask=["box", 0], relevance=["relevance", 0], mask_rule="adaptive", threshold=0.1,
            remove_islands=True, close_holes=True, soft_edge=0.0,
        ),
        "guider": node(
            "X2XRegionGuider", **asked, image_latent=["encode", 0], guidance_scale=3.0, image_guidance_scale=1.5,
            guidance_mask=mask,
        ),
        "noise": node("RandomNoise", noise_seed=1),
        "sampler": node("KSamplerSelect", sampler_name="euler"),
        "sigmas": node("BasicScheduler", model=["load", 0], scheduler="simple", steps=3, denoise=1.0),
        "edit": node(
            "SamplerCustomAdvanced", noise=["noise", 0], guider=["guider", 0], sampler=["sampler", 0],
            sigmas=["sigmas", 0], latent_image=["encode", 0],
        ),
        "edited": node("VAEDecode", samples=["edit", 0], vae=["load", 1]),
        "unchanged": node("VAEDecode", samples=["encode", 0], vae=["load", 1]),
        "compose": node(
            "X2XNativeCompose", image=["image", 0], edited=["edited", 0], unchanged=["unchanged", 0],
            guidance_mask=["guidance", 1], soft_edge=0.0, strength=1.0,
        ),
        "save": node("SaveImage", images=["compose", 0], filename_prefix="any"),
        "map picture": node("MaskToImage", mask=["relevance", 0]),
        "map": node("SaveImage", images=["map picture", 0], filename_prefix="any-map"),
        "mask picture": node("MaskToImage", mask=["guidance", 1]),
        "mask": node("SaveImage", images=["mask picture", 0], filename_prefix="any-mask"),
    }  # fmt: skip
    if crop:
        nodes["crop"] = node(
            "X2XCropToMask", image=["image", 0], guidance_mask=["guidance", 1], size=crop, margin=0.05
        )  # fmt: skip
        nodes["compose"]["inputs"]["crop"] = ["crop", 2]
    return nodes
