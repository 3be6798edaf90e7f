"""Contents and layout of each workflow in `example_workflows/`.

Columns are about 70 apart and nodes 55 to 80, which leaves room for the title and for the pack's name, which the page
draws above it. A workflow fits a page of 1800 x 1000 at a scale that shows texts.
"""

from __future__ import annotations

from any_picture_plan import any_picture
from workflow_graph import Graph, Placed
from workflow_parts import EDITOR, LOADER, MENUS, PICTURE, PSEUDOMASK, SEED, SHORT_MENUS, read_me


def load(graph: Graph, top: int, left: int = 0) -> tuple[Placed, Placed]:
    """Add the loaders of the checkpoint and the radiograph in a group."""
    pipeline = graph.node("X2XLoadPipeline", (left, top), LOADER)
    radiograph = graph.node("X2XLoadRadiograph", (left, top + 170), PICTURE)
    graph.group("Load", "load", pipeline, radiograph)
    return pipeline, radiograph


def edit_of(graph: Graph, at: tuple[int, int], pipeline: Placed, image, words: Placed, title=None, **more) -> Placed:
    """Add a node that edits an image with an instruction."""
    joined = {"pipeline": pipeline["pipeline"], "image": image, "instruction": words["instruction"]}
    return graph.node("X2XEdit", at, EDITOR, title, **joined, seed=SEED, **more)


def compare_of(graph: Graph, at, size, before, after, guidance, mask, words: Placed) -> Placed:
    """Add the node with slider and panel."""
    joined = {"before": before, "after": after, "guidance": guidance, "guidance_mask": mask}
    return graph.node("X2XCompare", at, size, **joined, instruction=words["instruction"])


def look_of(graph: Graph, left: int, pipeline: Placed, image, words: Placed, **rule) -> tuple[Placed, Placed, Placed]:
    """Add pseudomask, relevance map and guidance map in a column, below an instruction of size `SHORT_MENUS`."""
    where = pseudomask_of(graph, (left, 320), image, words)
    asked = {"pipeline": pipeline["pipeline"], "image": image, "instruction": words["instruction"]}
    relevance = graph.node("X2XRelevanceMap", (left, 745), (340, 205), **asked, seed=SEED)
    guidance = guidance_of(graph, (left, 1010), where, relevance, **rule)
    return where, relevance, guidance


def pseudomask_of(graph: Graph, at, image, words: Placed) -> Placed:
    """Add the pseudomask of an instruction, with drawn extents as the demo recommends."""
    joined = {"instruction": words["instruction"], "image": image}
    return graph.node("X2XPseudomask", at, PSEUDOMASK, **joined, seed=SEED, draw_extent=True)


def guidance_of(graph: Graph, at, where: Placed, relevance: Placed, **rule) -> Placed:
    """Add the guidance map of a pseudomask and a relevance map."""
    maps = {"pseudomask": where["pseudomask"], "relevance": relevance["relevance"]}
    return graph.node("X2XGuidanceMap", at, (340, 235), **maps, places=where["places"], **rule)


def plain_edit(graph: Graph) -> None:
    """Load, instruct, edit, compare, save."""
    text = """
# Edit a radiograph
Press **Run**.

1. **Load Radiograph** shows a simulated sample. Choose your own file, or drop one on the node.
2. **Instruction** describes the change. Left and right are the patient's: the patient's right is on the left of the \
image.
3. **Edit Radiograph** changes only the region the instruction refers to.
4. Drag the divider of **Compare Before and After**.
5. **Save Edit** writes the result, the guidance map and a panel to ComfyUI's output folder.

Findings of the demo checkpoint: pleural effusion, consolidation, lung opacity, pneumonia, atelectasis, edema, \
cardiomegaly, pneumothorax.
"""
    read_me(graph, text, 430)
    pipeline, radiograph = load(graph, 0, 440)
    words = graph.node("X2XInstruction", (440, 730), MENUS)
    graph.group("Instruct", "instruct", words)
    edit = edit_of(graph, (880, 0), pipeline, radiograph["image"], words)
    graph.group("Edit", "edit", edit)
    seen = radiograph["image"], edit["edited"], edit["guidance"], edit["edit_mask"]
    compare = compare_of(graph, (1360, 0), (620, 1000), *seen, words)
    save = graph.node(
        "X2XSave",
        (2020, 0),
        (380, 1000),
        image=edit["edited"],
        before=radiograph["image"],
        instruction=words["instruction"],
        guidance=edit["guidance"],
        info=edit["info"],
    )
    graph.group("Look and save", "look", compare, save)
    asked = [(words, name) for name in ("operation", "finding", "level", "side", "zone")]
    graph.open_as_app([(radiograph, "image"), *asked, (edit, "seed")], [compare, save])


def look_first(graph: Graph) -> None:
    """Show pseudomask, relevance map, guidance map and mask before the edit."""
    text = """
# Look before you edit
Where may the image change, and why?

- **Pseudomask**: where the finding can lie, aligned to this patient's lungs. Its extent is drawn by the seed; without \
`draw_extent`, it is all of where experts found the finding.
- **Relevance Map**: where the model would change the image.
- **Guidance Map**: their product. Values of at least **threshold** form the mask (outlined).

Change **threshold** and run again: only the nodes that depend on it are recomputed. `mask_rule` *adaptive* finds the \
level automatically.

To inspect the maps without editing, select the nodes of the last group and press Ctrl+B (bypass).
"""
    read_me(graph, text, 400)
    pipeline, radiograph = load(graph, 560)
    image = radiograph["image"]
    words = graph.node("X2XInstruction", (440, 0), SHORT_MENUS)
    where, relevance, guidance = look_of(graph, 440, pipeline, image, words, mask_rule="threshold", threshold=0.3)
    graph.group("Instruct and look", "guide", words, where, relevance, guidance)
    size = (380, 500)
    shown = [
        graph.node("X2XGuidancePreview", (880, 0), size, "Pseudomask", image=image, guidance=where["pseudomask"]),
        graph.node("X2XGuidancePreview", (1290, 0), size, "Relevance", image=image, guidance=relevance["relevance"]),
        graph.node(
            "X2XGuidancePreview",
            (880, 600),
            size,
            "Guidance, and the mask's outline",
            image=image,
            guidance=guidance["guidance"],
            guidance_mask=guidance["guidance_mask"],
        ),
        graph.node("MaskPreview", (1290, 600), size, "Guidance mask", mask=guidance["guidance_mask"]),
    ]
    graph.group("Where may it change, and why?", "guide", *shown)
    edit_and_compare(graph, 1760, pipeline, image, words, guidance["guidance"], guidance["guidance_mask"])


def edit_and_compare(graph: Graph, left: int, pipeline: Placed, image, words: Placed, guidance, mask) -> None:
    """Add an edit inside a given mask, and its comparison."""
    edit = edit_of(graph, (left, 0), pipeline, image, words, guidance_mask=mask)
    compare = compare_of(graph, (left + 420, 0), (480, 900), image, edit["edited"], guidance, mask, words)
    graph.group("Edit", "edit", edit, compare)


def own_mask(graph: Graph) -> None:
    """Combine a painted area and a box with the guidance mask, using ComfyUI's own mask nodes."""
    text = """
# Paint your own mask
The mask of an edit is an ordinary MASK that any mask node can modify.

- **Paint**: right-click *Load Radiograph*, choose *Open in MaskEditor*, paint where the image may change too, and save.
- **Box**: *Solid Mask* is a box of `width` x `height` pixels; `x` and `y` of *Add the box* set its position.
- `operation` **add** combines masks; **multiply** keeps the guidance mask only where you painted; **subtract** \
removes that area.
- *Grow Mask* expands the result.

To use a mask from a file, replace the box by *Load Image (as Mask)*.
"""
    read_me(graph, text, 400)
    pipeline, radiograph = load(graph, 560)
    image = radiograph["image"]
    words = graph.node("X2XInstruction", (440, 0), SHORT_MENUS, finding="consolidation")
    found = look_of(graph, 440, pipeline, image, words)
    guidance = found[-1]
    graph.group("Instruct and find the mask", "guide", words, *found)
    steps = _joined_masks(graph, guidance["guidance_mask"], radiograph["mask"])
    shown = graph.node(
        "X2XGuidancePreview",
        (880, 740),
        (440, 460),
        "Guidance, and your mask's outline",
        image=image,
        guidance=guidance["guidance"],
        guidance_mask=steps[-1]["MASK"],
    )
    graph.group("Add your own mask", "look", *steps, shown)
    edit_and_compare(graph, 1420, pipeline, image, words, guidance["guidance"], steps[-1]["MASK"])


def _joined_masks(graph: Graph, found, painted) -> list[Placed]:
    """Combine the guidance mask, the painted area and a box, and expand the result."""
    size = (440, 150)
    both = graph.node(
        "MaskComposite", (880, 0), size, "Add the painted area", destination=found, source=painted, operation="add"
    )
    box = graph.node("SolidMask", (880, 230), (440, 110), "A box", value=1.0, width=130, height=90)
    joined = {"destination": both["MASK"], "source": box["MASK"], "x": 70, "y": 300, "operation": "add"}
    boxed = graph.node("MaskComposite", (880, 410), size, "Add the box", **joined)
    return [both, box, boxed, graph.node("GrowMask", (880, 600), (440, 90), mask=boxed["MASK"], expand=4)]


def severity_series(graph: Graph) -> None:
    """Show the same finding, seed and radiograph at three levels in a row."""
    text = """
# A severity series
One radiograph, one seed, one finding: small, moderate, large.

Only the `level` of the three instructions differs, so the level is the only difference between the pictures. To try \
another `finding` or `side`, change it in all three.

The row on the right shows the radiograph, small, moderate and large.
"""
    read_me(graph, text, 290)
    pipeline, radiograph = load(graph, 450)
    row, stitches = radiograph["image"], []
    for number, level in enumerate(("small", "moderate", "large")):
        left = 440 + 460 * number
        words = graph.node("X2XInstruction", (left, 0), (380, 280), level.capitalize(), level=level)
        edit = edit_of(graph, (left, 355), pipeline, radiograph["image"], words, f"Edit: {level}")
        graph.group(level.capitalize(), "edit", words, edit)
        joined = {"image1": row, "image2": edit["edited"], "spacing_width": 8}
        stitches.append(graph.node("ImageStitch", (1840 + 250 * number, 0), (230, 160), f"Join {level}", **joined))
        row = stitches[-1]["IMAGE"]
    shown = graph.node("PreviewImage", (1840, 250), (730, 260), "Radiograph, small, moderate, large", images=row)
    prefix = "InstructX2X/severity"
    save = graph.node("SaveImage", (1840, 600), (730, 290), "Save the row", images=row, filename_prefix=prefix)
    graph.group("In one row", "look", *stitches, shown, save)


def several_findings(graph: Graph) -> None:
    """Combine two clauses into one instruction and one edit."""
    text = """
# Several findings at once
Chain instructions: connect `instruction` of one to `previous` of the next. One edit can add, remove and change \
findings.

The pseudomask is the union of those of the findings. The relevance map shows where the model would edit.

Free text works too: delete the link to *Edit Radiograph* and type, for example,

`Add the findings of edema and cardiomegaly.`

*Interpretation and settings* shows how the instruction was interpreted and which settings were used.
"""
    read_me(graph, text, 380)
    pipeline, radiograph = load(graph, 540)
    first = graph.node("X2XInstruction", (440, 0), MENUS, "First: an effusion on the right")
    heart = {"finding": "cardiomegaly", "side": "any", "previous": first["instruction"]}
    second = graph.node("X2XInstruction", (440, 360), (340, 300), "Then: a larger heart", **heart)
    graph.group("Instruct", "instruct", first, second)
    edit = edit_of(graph, (880, 0), pipeline, radiograph["image"], second)
    graph.group("Edit", "edit", edit)
    maps = {"guidance": edit["guidance"], "guidance_mask": edit["edit_mask"]}
    shown = graph.node("X2XGuidancePreview", (1360, 0), (420, 520), image=radiograph["image"], **maps)
    read = graph.node("PreviewAny", (1360, 610), (420, 350), "Interpretation and settings", source=edit["info"])
    seen = radiograph["image"], edit["edited"], edit["guidance"], edit["edit_mask"]
    compare = compare_of(graph, (1820, 0), (580, 960), *seen, second)
    graph.group("Look", "look", shown, read, compare)


def batch_folder(graph: Graph) -> None:
    """Edit every radiograph in a folder, and save each under its own name."""
    text = """
# Batch over a folder
Create a folder in ComfyUI's **input** folder, copy radiographs into it, press **R** (refresh node definitions) and \
choose it in *Load Radiographs from Folder*. The files may differ in size.

Each file is edited with the same instruction and seed. The result is saved under the file's name in `save_to`, \
inside ComfyUI's output folder, with its guidance map and a panel.

For a large number of files, set `limit` and increase `skip` from run to run.
"""
    read_me(graph, text, 330)
    pipeline = graph.node("X2XLoadPipeline", (440, 0), LOADER)
    folder = graph.node("X2XLoadFolder", (440, 170), (340, 180))
    words = graph.node("X2XInstruction", (440, 430), MENUS, finding="cardiomegaly", side="any")
    graph.group("Load and instruct", "load", pipeline, folder, words)
    edit = edit_of(graph, (880, 0), pipeline, folder["images"], words)
    graph.group("Edit each", "edit", edit)
    save = graph.node(
        "X2XSave",
        (1360, 0),
        (760, 880),
        image=edit["edited"],
        filename_prefix=folder["save_as"],
        before=folder["images"],
        instruction=words["instruction"],
        guidance=edit["guidance"],
        info=edit["info"],
    )
    graph.group("Save each under its name", "look", save)


def native_graph(graph: Graph) -> None:
    """Build the method as an ordinary ComfyUI graph of MODEL, CONDITIONING and LATENT."""
    text = """
# The method in ComfyUI's own samplers
Each step of the edit is a node, so LoRAs, schedulers, samplers and model patches can be added.

**Checkpoint**: the included demo, or an InstructX2X or InstructPix2Pix checkpoint in diffusers layout (a folder \
with `model_index.json`) in `models/instructx2x` or `models/diffusers`. The settings here are those that the demo \
recommends for an effusion. For the authors' checkpoint, use 512 x 512 pixels, scheduler ddim_uniform, \
100 steps, guidance_scale 7.5 and image_guidance_scale 1.5, and switch `draw_extent` off.

**Place Hint** tells the model in its noise where the finding is to lie: the extent that *Pseudomask* drew, or any \
mask of your own.

One sampler follows the instruction, the other denoises the same noise **without** it (guidance_scale 0). *Compose \
Edit* adds their difference to the radiograph inside the mask. Pixels outside the mask stay identical.

Keep the seeds of RandomNoise, Relevance Map and Pseudomask equal.
"""
    read_me(graph, text, 480)
    model = graph.node("X2XLoadNative", (0, 620), (340, 130))
    radiograph = graph.node("X2XLoadRadiograph", (0, 820), (340, 420))
    graph.group("Load", "load", model, radiograph)
    words = graph.node("X2XInstruction", (440, 0), MENUS, side="left")
    where = pseudomask_of(graph, (440, 350), radiograph["image"], words)
    size = {"upscale_method": "area", "width": 256, "height": 256, "crop": "disabled"}
    scaled = graph.node("ImageScale", (440, 790), (340, 140), "To the model's size", image=radiograph["image"], **size)
    latent = graph.node("VAEEncode", (440, 1000), (340, 60), pixels=scaled["IMAGE"], vae=model["vae"])
    empty = graph.node("CLIPTextEncode", (440, 1130), (340, 100), "Text: none", text="", clip=model["clip"])
    graph.group("Instruct and encode", "instruct", words, where, scaled, latent, empty)
    told = {"text": where["placed_instruction"], "clip": model["clip"]}
    text = graph.node("CLIPTextEncode", (880, 0), (340, 100), "Text: instruction", **told)
    asked = {"positive": text["CONDITIONING"], "negative": empty["CONDITIONING"], "model": model["model"]}
    region = _native_region(graph, radiograph["image"], where, latent["LATENT"], text, asked)
    regions = {"guidance_mask": region["guidance_mask"], "place": where["extent"]}
    edited, plain = _native_sampling(graph, model, latent["LATENT"], asked, regions)
    pictures = {"image": radiograph["image"], "edited": edited["IMAGE"], "unchanged": plain["IMAGE"]}
    as_suits_an_extent = {"soft_edge": 0.012, "composition": "saturating", "places": where["places"]}
    pictures |= {"guidance_mask": region["guidance_mask"], **as_suits_an_extent}
    composed = graph.node("X2XNativeCompose", (2160, 0), (460, 280), **pictures)
    seen = radiograph["image"], composed["result"], region["guidance"], region["guidance_mask"]
    shown = compare_of(graph, (2160, 360), (460, 880), *seen, words)
    graph.group("Compose", "look", composed, shown)


def _native_region(graph: Graph, image, where: Placed, latent, text: Placed, asked: dict) -> Placed:
    """Add native relevance map, guidance map and its preview, below the text in a group with it."""
    looked = {**asked, "latent": latent, "place": where["extent"], "seed": SEED}
    relevance = graph.node("X2XNativeRelevanceMap", (880, 180), (340, 260), **looked)
    guidance = guidance_of(graph, (880, 520), where, relevance)
    maps = {"guidance": guidance["guidance"], "guidance_mask": guidance["guidance_mask"]}
    shown = graph.node("X2XGuidancePreview", (880, 835), (340, 405), image=image, **maps)
    graph.group("Where may it change?", "guide", text, relevance, guidance, shown)
    return guidance


def _native_sampling(graph: Graph, model: Placed, latent, asked: dict, regions: dict) -> tuple[Placed, Placed]:
    """Add the sampler with the instruction and its twin without, and decode both.

    `regions` holds the outputs for `guidance_mask` and `place`.
    """
    noise = graph.node("RandomNoise", (1320, 0), (360, 90), noise_seed=SEED)
    joined = {"noise": noise["NOISE"], "model": model["model"], "place": regions["place"]}
    hinted = graph.node("X2XPlaceHint", (1320, 160), (360, 110), **joined)
    sampler = graph.node("KSamplerSelect", (1740, 0), (340, 60), sampler_name="euler")
    plan = {"model": model["model"], "scheduler": "simple", "steps": 1}
    steps = graph.node("BasicScheduler", (1740, 140), (340, 110), **plan)
    placed, decoded = [noise, hinted, sampler, steps], []
    for number, (title, scale) in enumerate((("with the instruction", 1.6), ("without it", 0.0))):
        top = 350 + 260 * number
        scales = {"guidance_scale": scale, "image_guidance_scale": 1.0, "guidance_mask": regions["guidance_mask"]}
        guider = graph.node(
            "X2XRegionGuider", (1320, top), (360, 190), f"Guide: {title}", image_latent=latent, **asked, **scales
        )
        given = {"noise": hinted["noise"], "guider": guider["guider"], "sampler": sampler["SAMPLER"]}
        given = {**given, "sigmas": steps["SIGMAS"], "latent_image": latent}
        sampling = graph.node("SamplerCustomAdvanced", (1740, top), (340, 130), f"Sample: {title}", **given)
        samples = {"samples": sampling["output"], "vae": model["vae"]}
        decoded.append(graph.node("VAEDecode", (1740, 870 + 140 * number), (340, 60), f"Decode: {title}", **samples))
        placed += [guider, sampling, decoded[-1]]
    graph.group("Sample", "edit", *placed)
    return decoded[0], decoded[1]


def counterfactual_pairs(graph: Graph) -> None:
    """Save the same patients with one finding or another, for a classifier."""
    text = """
# Counterfactual pairs for an audit
How would your classifier score the **same patient** with an effusion, or with an enlarged heart?

Each radiograph in the folder is saved under the same name in three folders of `InstructX2X/audit`: `original`, \
`right-effusion` and `cardiomegaly`. Run your classifier on all three and compare its scores for each patient:

- the score of the added finding should rise;
- other scores, and predictions of age or sex, should not change.

Pixels outside the mask are identical, so any change of a score is caused by the pixels inside. The metadata of each \
file contains the instruction, the seed and the settings.

For another finding, copy a group and change its finding and folder.
"""
    read_me(graph, text, 480)
    pipeline = graph.node("X2XLoadPipeline", (0, 650), LOADER)
    folder = graph.node("X2XLoadFolder", (0, 820), (340, 180), save_to="")
    graph.group("Load", "load", pipeline, folder)
    name = _audit_name(graph, (440, 0), "original", folder)
    kept = {"images": folder["images"], "filename_prefix": name["STRING"]}
    original = graph.node("SaveImage", (440, 290), (340, 500), "Save the originals", **kept)
    graph.group("Originals", "load", name, original)
    effusion = {"finding": "pleural effusion", "side": "right"}
    _counterfactual(graph, 880, "right-effusion", effusion, pipeline, folder)
    _counterfactual(graph, 1760, "cardiomegaly", {"finding": "cardiomegaly", "side": "any"}, pipeline, folder)


def _audit_name(graph: Graph, at, case: str, folder: Placed) -> Placed:
    """Add the names of the files in one folder of the audit."""
    parts = {"string_a": f"InstructX2X/audit/{case}", "string_b": folder["save_as"], "delimiter": "/"}
    return graph.node("StringConcatenate", at, (340, 200), f"Folder: {case}", **parts)


def _counterfactual(graph: Graph, left: int, case: str, choice: dict, pipeline: Placed, folder: Placed) -> None:
    """Add instruction, edit, file names and saved files of one counterfactual."""
    words = graph.node("X2XInstruction", (left, 0), MENUS, **choice)
    name = _audit_name(graph, (left, 360), case, folder)
    edit = edit_of(graph, (left + 400, 0), pipeline, folder["images"], words)
    save = graph.node(
        "X2XSave",
        (left, 650),
        (340, 490),
        image=edit["edited"],
        filename_prefix=name["STRING"],
        instruction=words["instruction"],
        guidance=edit["guidance"],
        info=edit["info"],
    )
    graph.group(case.replace("-", " ").capitalize(), "edit", words, name, edit, save)


PLANS = {
    "1-plain-edit": plain_edit,
    "2-look-before-you-edit": look_first,
    "3-paint-your-own-mask": own_mask,
    "4-severity-series": severity_series,
    "5-several-findings": several_findings,
    "6-batch-over-a-folder": batch_folder,
    "7-native-graph": native_graph,
    "8-counterfactual-pairs": counterfactual_pairs,
    "9-any-picture": any_picture,
}
