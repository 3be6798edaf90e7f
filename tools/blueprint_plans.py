"""Contents of each subgraph blueprint in `subgraphs/`: what the page offers as one node."""

from __future__ import annotations

from blueprint_graph import Blueprint
from workflow_graph import Output, Placed

WIDTH = 340
COLUMN = WIDTH + 60
SMALL, TALL = (WIDTH, 130), (WIDTH, 330)


def edit_radiograph(graph: Blueprint) -> None:
    """Edit a radiograph, and show where and why."""
    graph.describe(
        "Edit a chest radiograph from a text instruction with the included demo checkpoint, and show the region that "
        "the edit is restricted to. Open the subgraph to choose another checkpoint. Synthetic, for research.",
        "chest x-ray", "CXR", "counterfactual",
    )  # fmt: skip
    image, text = graph.input("image", "IMAGE"), graph.input("instruction", "STRING", widget=True)
    seed = graph.input("seed", "INT", widget=True)
    pipeline = graph.node("X2XLoadPipeline", (0, 0), SMALL)
    edit = graph.node(
        "X2XEdit", (COLUMN, 0), (WIDTH, 840),
        pipeline=pipeline["pipeline"], image=image, instruction=text, seed=seed,
    )  # fmt: skip
    maps = {"guidance": edit["guidance"], "guidance_mask": edit["edit_mask"]}
    shown = graph.node("X2XGuidancePreview", (2 * COLUMN, 0), (WIDTH, 400), image=image, **maps)
    graph.output("edited", edit["edited"])
    graph.output("guidance", edit["guidance"])
    graph.output("edit_mask", edit["edit_mask"])
    graph.output("overlay", shown["overlay"])


def where_would_it_change(graph: Blueprint) -> None:
    """Show where an instruction would change a picture, before the edit."""
    graph.describe(
        "Show where an instruction would change a picture, with any MODEL, before the edit is sampled. Connect "
        "positive and negative as for sampling (behind ReferenceLatent or InpaintModelConditioning where the model "
        "needs it).",
        "relevance map", "heatmap", "instruction mask",
    )  # fmt: skip
    asked = _model(graph)
    vae, image = graph.input("vae", "VAE"), graph.input("image", "IMAGE")
    seed = graph.input("seed", "INT", widget=True)
    latent = graph.node("VAEEncode", (0, 0), (WIDTH, 60), pixels=image, vae=vae)
    everywhere = graph.node("SolidMask", (0, 150), SMALL, "Anywhere", value=1.0)
    relevance = graph.node(
        "X2XNativeRelevanceMap", (COLUMN, 0), (WIDTH, 275), **asked, latent=latent["LATENT"], image=image, seed=seed
    )
    maps = {"pseudomask": everywhere["MASK"], "relevance": relevance["relevance"]}
    guidance = graph.node("X2XGuidanceMap", (2 * COLUMN, 0), (WIDTH, 260), **maps)
    found = {"guidance": guidance["guidance"], "guidance_mask": guidance["guidance_mask"]}
    shown = graph.node("X2XGuidancePreview", (3 * COLUMN, 0), (WIDTH, 400), image=image, **found)
    graph.output("relevance", relevance["relevance"])
    graph.output("guidance_mask", guidance["guidance_mask"])
    graph.output("overlay", shown["overlay"])


def edit_region(graph: Blueprint) -> None:
    """Edit a picture inside a mask."""
    graph.describe(
        "Edit a picture by an instruction inside a mask, with any MODEL. Pixels outside the mask stay identical. "
        "Connect positive and negative as for sampling (behind ReferenceLatent where the model needs it).",
        "masked edit", "inpaint", "region guider",
    )  # fmt: skip
    asked = _model(graph)
    vae, image, mask = graph.input("vae", "VAE"), graph.input("image", "IMAGE"), graph.input("guidance_mask", "MASK")
    latent = graph.node("VAEEncode", (0, 0), (WIDTH, 60), pixels=image, vae=vae)
    edited = _sampled(graph, COLUMN, asked, latent["LATENT"], mask, vae)
    unchanged = graph.node("VAEDecode", (0, 150), (WIDTH, 60), "Unchanged", samples=latent["LATENT"], vae=vae)
    _composed(graph, 3 * COLUMN, image, edited, unchanged, guidance_mask=mask)


def inpaint_in_detail(graph: Blueprint) -> None:
    """Inpaint a region at the model's whole resolution, without a seam."""
    graph.describe(
        "Cut a square around the mask, inpaint it at the model's own resolution, and put it back without a seam or a "
        "shift of colours. For inpainting models; others that read a text work, too.",
        "crop and stitch", "inpaint crop", "detailer",
    )  # fmt: skip
    model, clip, vae = (graph.input(name, name.upper()) for name in ("model", "clip", "vae"))
    image, mask = graph.input("image", "IMAGE"), graph.input("guidance_mask", "MASK")
    text, size = graph.input("text", "STRING", widget=True), graph.input("size", "INT", widget=True)
    crop = graph.node("X2XCropToMask", (0, 0), (WIDTH, 180), image=image, guidance_mask=mask, size=size)
    positive = graph.node("CLIPTextEncode", (0, 260), SMALL, "With the text", text=text, clip=clip)
    negative = graph.node("CLIPTextEncode", (0, 470), SMALL, "Without it", text="", clip=clip)
    texts = {"positive": positive["CONDITIONING"], "negative": negative["CONDITIONING"], "vae": vae}
    seen = graph.node(
        "InpaintModelConditioning", (COLUMN, 0), (WIDTH, 160),
        **texts, pixels=crop["cropped"], mask=crop["cropped_mask"], noise_mask=False,
    )  # fmt: skip
    asked = {"model": model, "positive": seen["positive"], "negative": seen["negative"]}
    edited = _sampled(graph, 2 * COLUMN, asked, seen["latent"], crop["cropped_mask"], vae)
    plain = graph.node("VAEEncode", (COLUMN, 250), (WIDTH, 60), "The crop", pixels=crop["cropped"], vae=vae)
    unchanged = graph.node("VAEDecode", (COLUMN, 400), (WIDTH, 60), "Unchanged", samples=plain["LATENT"], vae=vae)
    _composed(graph, 4 * COLUMN, image, edited, unchanged, guidance_mask=mask, crop=crop["crop"])


def _model(graph: Blueprint) -> dict[str, Output]:
    """Add the inputs of a model and its conditionings."""
    model = graph.input("model", "MODEL")
    return {"model": model, **{name: graph.input(name, "CONDITIONING") for name in ("positive", "negative")}}


def _sampled(
    graph: Blueprint, left: int, asked: dict[str, Output], latent: Output, mask: Output, vae: Output
) -> Placed:
    """Add the sampling inside a mask with its widgets, and return the decoded picture."""
    scale = graph.input("guidance_scale", "FLOAT", widget=True)
    steps, seed = graph.input("steps", "INT", widget=True), graph.input("noise_seed", "INT", widget=True)
    where = {"image_latent": latent, "guidance_mask": mask, "guidance_scale": scale}
    guider = graph.node("X2XRegionGuider", (left, 0), (WIDTH, 190), **asked, **where)
    noise = graph.node("RandomNoise", (left, 280), (WIDTH, 90), noise_seed=seed)
    sampler = graph.node("KSamplerSelect", (left, 460), (WIDTH, 60), sampler_name="euler")
    sigmas = graph.node("BasicScheduler", (left, 610), SMALL, model=asked["model"], scheduler="simple", steps=steps)
    parts = {"noise": noise["NOISE"], "guider": guider["guider"], "sampler": sampler["SAMPLER"]}
    sampled = graph.node(
        "SamplerCustomAdvanced", (left + COLUMN, 0), SMALL, **parts, sigmas=sigmas["SIGMAS"], latent_image=latent
    )
    return graph.node("VAEDecode", (left + COLUMN, 220), (WIDTH, 60), samples=sampled["output"], vae=vae)


def _composed(graph: Blueprint, left: int, image: Output, edited: Placed, unchanged: Placed, **region: Output) -> None:
    """Add the composition of two decoded pictures into the original, as the blueprint's output."""
    pictures = {"image": image, "edited": edited["IMAGE"], "unchanged": unchanged["IMAGE"]}
    composed = graph.node("X2XNativeCompose", (left, 0), (WIDTH, 280), **pictures, **region)
    graph.output("result", composed["result"])


BLUEPRINTS = {
    "Edit Radiograph (InstructX2X)": edit_radiograph,
    "Where Would It Change (InstructX2X)": where_would_it_change,
    "Edit Region (InstructX2X)": edit_region,
    "Inpaint in Detail (InstructX2X)": inpaint_in_detail,
}
