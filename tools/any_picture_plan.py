"""Contents and layout of the workflow that edits any picture."""

from __future__ import annotations

from workflow_graph import Graph, Placed
from workflow_parts import SEED, read_me


def any_picture(graph: Graph) -> None:
    """Edit any picture by any instruction inside a painted mask or a box."""
    text = """
# Edit any picture
Nothing of the method is about radiographs: where would an instruction change a picture, where may it, and nothing else.

- **Picture**: choose one, or drop it on *Load Image*.
- **Where it may change**: *The box* is `width` x `height` pixels at `x` and `y`; to paint, right-click *Load Image*, \
choose *Open in MaskEditor*, and set the box's `value` to 0.
- **Instruction**: any words that the model reads.
- **Model**: the included demo was trained on radiographs alone, so expect a change, not a good one. Choose an \
InstructPix2Pix checkpoint, or connect MODEL, CLIP and VAE of any other loader; then `size` 512 or 1024, and the steps \
and scale that suit the model.
- **FLUX.1 Kontext and Qwen-Image-Edit** see the picture through their texts: put *ReferenceLatent* behind both texts, \
twice: with the latent of *The whole picture* before *Relevance Map (Native)*, and with that of the crop before \
*Region Guider*. Inpainting models get *InpaintModelConditioning* at the same two places.

The relevance map cuts the edit out of the region, the crop is edited at the model's resolution, and *Compose Edit* \
puts it back: pixels outside the mask stay identical.
"""
    read_me(graph, text, 530)
    model = graph.node("X2XLoadNative", (0, 660), (340, 130))
    picture = graph.node("LoadImage", (0, 870), (340, 340), image="instructx2x-landscape.jpg")
    graph.group("Load", "load", model, picture)
    image = picture["IMAGE"]
    region = _painted_region(graph, 440, picture)
    asked = _asked_in_words(graph, 840, model)
    found, guidance = _relevance_in_region(graph, (840, 480), image, model, asked, region)
    crop = graph.node("X2XCropToMask", (1300, 0), (340, 160), size=256, image=image, guidance_mask=guidance)
    latent = graph.node("VAEEncode", (1300, 240), (340, 60), pixels=crop["cropped"], vae=model["vae"])
    sampler, inputs = _crop_sampler(graph, 1300, model, latent["LATENT"], asked, crop["cropped_mask"])
    graph.group("Edit the crop", "edit", crop, latent, *sampler)
    composed, save = _composed(graph, 1715, model, picture, latent["LATENT"], inputs, crop, guidance)
    seen = {"before": image, "after": composed["result"], "guidance": found["guidance"], "guidance_mask": guidance}
    compare = graph.node("X2XCompare", (2130, 0), (540, 1210), **seen)
    graph.group("Look", "look", compare)
    graph.open_as_app([(picture, "image"), (asked["words"], "text")], [compare, save])


def _painted_region(graph: Graph, left: int, picture: Placed) -> Placed:
    """Add a box and the painted area of a picture, as one mask of its size."""
    size = graph.node("GetImageSize", (left, 0), (310, 140), image=picture["IMAGE"])
    sides = {"width": size["width"], "height": size["height"]}
    nowhere = graph.node("SolidMask", (left, 220), (310, 110), "Nowhere", value=0.0, **sides)
    box = graph.node("SolidMask", (left, 410), (310, 110), "The box", value=1.0, width=460, height=250)
    joined = {"operation": "add", "destination": nowhere["MASK"], "source": box["MASK"]}
    placed = graph.node("MaskComposite", (left, 600), (310, 150), "Place the box", x=30, y=180, **joined)
    painted = {"operation": "add", "destination": placed["MASK"], "source": picture["MASK"]}
    region = graph.node("MaskComposite", (left, 830), (310, 150), "Add what is painted", x=0, y=0, **painted)
    graph.group("Where may it change?", "guide", size, nowhere, box, placed, region)
    return region


def _asked_in_words(graph: Graph, left: int, model: Placed) -> dict[str, Placed]:
    """Add an instruction and the empty text."""
    words = graph.node(
        "CLIPTextEncode", (left, 0), (380, 130), "Text: instruction", text="Make it snow.", clip=model["clip"]
    )
    empty = graph.node("CLIPTextEncode", (left, 220), (380, 130), "Text: none", text="", clip=model["clip"])
    graph.group("Instruct", "instruct", words, empty)
    return {"words": words, "empty": empty}


def _conditionings(model: Placed, asked: dict[str, Placed]) -> dict:
    texts = asked["words"]["CONDITIONING"], asked["empty"]["CONDITIONING"]
    return {"model": model["model"], "positive": texts[0], "negative": texts[1]}


def _relevance_in_region(graph: Graph, at, image, model: Placed, asked: dict, region: Placed) -> tuple:
    """Add the relevance map of a picture, its product with a region, and a preview; return the product and its mask."""
    (left, top), inputs = at, _conditionings(model, asked)
    latent = graph.node("VAEEncode", (left, top), (380, 60), "The whole picture", pixels=image, vae=model["vae"])
    relevance = graph.node(
        "X2XNativeRelevanceMap",
        (left, top + 120),
        (380, 260),
        **inputs,
        latent=latent["LATENT"],
        image=image,
        seed=SEED,
    )
    maps = {"pseudomask": region["MASK"], "relevance": relevance["relevance"]}
    guidance = graph.node("X2XGuidanceMap", (left, top + 450), (380, 240), **maps)
    graph.group("Where would it change?", "guide", latent, relevance, guidance)
    return guidance, guidance["guidance_mask"]


def _crop_sampler(graph: Graph, left: int, model: Placed, latent, asked: dict, mask) -> tuple[list[Placed], dict]:
    """Add what the sampling of a crop needs; return the nodes, and the inputs of SamplerCustomAdvanced."""
    where = {"image_latent": latent, "guidance_mask": mask, "guidance_scale": 2.0, "image_guidance_scale": 1.0}
    guider = graph.node("X2XRegionGuider", (left, 380), (340, 210), **_conditionings(model, asked), **where)
    noise = graph.node("RandomNoise", (left, 670), (340, 90), noise_seed=SEED)
    sampler = graph.node("KSamplerSelect", (left, 840), (340, 60), sampler_name="euler")
    steps = graph.node("BasicScheduler", (left, 980), (340, 110), model=model["model"], scheduler="simple", steps=4)
    inputs = {"noise": noise["NOISE"], "guider": guider["guider"], "sampler": sampler["SAMPLER"]}
    return [guider, noise, sampler, steps], {**inputs, "sigmas": steps["SIGMAS"], "latent_image": latent}


def _composed(graph: Graph, left: int, model, picture, latent, inputs: dict, crop, mask) -> tuple[Placed, Placed]:
    """Add the sampling of a crop, its composition into the picture, and its file."""
    sampled = graph.node("SamplerCustomAdvanced", (left, 0), (340, 130), **inputs)
    edited = graph.node(
        "VAEDecode", (left, 190), (340, 60), "Decode: edited", samples=sampled["output"], vae=model["vae"]
    )
    unchanged = graph.node("VAEDecode", (left, 310), (340, 60), "Decode: unchanged", samples=latent, vae=model["vae"])
    pictures = {"image": picture["IMAGE"], "edited": edited["IMAGE"], "unchanged": unchanged["IMAGE"]}
    composed = graph.node(
        "X2XNativeCompose", (left, 430), (340, 300), **pictures, guidance_mask=mask, crop=crop["crop"]
    )
    named = {"image": composed["result"], "filename_prefix": "InstructX2X/picture"}
    save = graph.node("X2XSave", (left, 800), (340, 410), **named)
    graph.group("Sample, compose, save", "edit", sampled, edited, unchanged, composed, save)
    return composed, save
