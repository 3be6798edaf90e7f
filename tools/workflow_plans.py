"""What each workflow of `workflows/` is made of, and where it lies on the canvas."""

from __future__ import annotations

from workflow_graph import Graph, Placed

SEED = 1
RIGHT_EFFUSION = "Add the finding of moderate right pleural effusion."
LOADER, PICTURE, MENUS, EDITOR = (330, 90), (330, 420), (330, 330), (360, 800)
SYNTHETIC = "Everything that comes out is **synthetic, for research**. It is not a medical device."


def load(graph: Graph, at: tuple[int, int] = (0, 0)) -> tuple[Placed, Placed]:
    """The checkpoint and the radiograph, in a group."""
    left, top = at
    pipeline = graph.node("X2XLoadPipeline", (left, top), LOADER)
    radiograph = graph.node("X2XLoadRadiograph", (left, top + 170), PICTURE)
    graph.group("Load", "load", pipeline, radiograph)
    return pipeline, radiograph


def plain_edit(graph: Graph) -> None:
    """Load, say what to change, edit, compare, save."""
    graph.note(
        f"""
# Edit a radiograph
Press **Run**.

1. **Load Radiograph** has a simulated sample; choose a file of yours, or drop one on it.
2. **Instruction** says what to change. Left and right are the patient's: the patient's right is on the image's left.
3. **Edit Radiograph** changes the image there and nowhere else.
4. Drag the line on **Compare Before and After**.
5. **Save Edit** writes to ComfyUI's output folder, with the guidance map and a panel.

The demo checkpoint knows: pleural effusion, consolidation, lung opacity, pneumonia, atelectasis, edema, cardiomegaly, pneumothorax.

{SYNTHETIC}
""",
        (-430, -40),
        (360, 620),
        "Read me",
    )
    pipeline, radiograph = load(graph)
    words = graph.node("X2XInstruction", (430, 0), MENUS)
    graph.group("Instruct", "instruct", words)
    edit = graph.node(
        "X2XEdit",
        (860, 0),
        EDITOR,
        pipeline=pipeline["pipeline"],
        image=radiograph["image"],
        instruction=words["instruction"],
        seed=SEED,
    )
    graph.group("Edit", "edit", edit)
    compare = graph.node(
        "X2XCompare",
        (1320, 0),
        (660, 700),
        before=radiograph["image"],
        after=edit["edited"],
        guidance=edit["guidance"],
        guidance_mask=edit["edit_mask"],
        instruction=words["instruction"],
    )
    save = graph.node(
        "X2XSave",
        (2040, 0),
        (340, 700),
        image=edit["edited"],
        before=radiograph["image"],
        instruction=words["instruction"],
        guidance=edit["guidance"],
        info=edit["info"],
    )
    graph.group("Look and save", "look", compare, save)


def look_first(graph: Graph) -> None:
    """Pseudomask, relevance, their product and its threshold, each looked at before the edit."""
    graph.note(
        f"""
# Look before you edit
Where may the image change, and why? **Run** shows it before the edit:

- **Pseudomask**: where experts have seen the finding, laid over this patient's lungs.
- **Relevance Map**: where the model itself would change the image.
- **Guidance Map**: their product; what reaches the **threshold** is the mask (outlined).

Turn **threshold** and run again: only what hangs on it is computed anew. `mask_rule` *adaptive* finds the level by itself.

To look without editing, select the last group and press Ctrl+B (bypass).

{SYNTHETIC}
""",
        (-430, -40),
        (360, 560),
        "Read me",
    )
    pipeline, radiograph = load(graph)
    words = graph.node("X2XInstruction", (0, 700), (330, 330))
    graph.group("Instruct", "instruct", words)
    where = graph.node(
        "X2XPseudomask", (430, 0), (330, 200), instruction=words["instruction"], image=radiograph["image"]
    )
    relevance = graph.node(
        "X2XRelevanceMap",
        (430, 290),
        (330, 260),
        pipeline=pipeline["pipeline"],
        image=radiograph["image"],
        instruction=words["instruction"],
        seed=SEED,
    )
    guidance = graph.node(
        "X2XGuidanceMap",
        (430, 640),
        (330, 230),
        pseudomask=where["pseudomask"],
        relevance=relevance["relevance"],
        mask_rule="threshold",
        threshold=0.1,
        instruction=words["instruction"],
    )
    shown = [
        graph.node("X2XGuidancePreview", (830, 0), (380, 470), "Pseudomask", image=radiograph["image"], guidance=where["pseudomask"]),
        graph.node("X2XGuidancePreview", (1250, 0), (380, 470), "Relevance", image=radiograph["image"], guidance=relevance["relevance"]),
        graph.node(
            "X2XGuidancePreview",
            (830, 560),
            (380, 470),
            "Guidance, and the mask's outline",
            image=radiograph["image"],
            guidance=guidance["guidance"],
            guidance_mask=guidance["guidance_mask"],
        ),
        graph.node("MaskPreview", (1250, 560), (380, 470), "Guidance mask", mask=guidance["guidance_mask"]),
    ]
    graph.group("Look: where may it change, and why?", "guide", where, relevance, guidance, *shown)
    edit = graph.node(
        "X2XEdit",
        (1760, 0),
        EDITOR,
        pipeline=pipeline["pipeline"],
        image=radiograph["image"],
        instruction=words["instruction"],
        seed=SEED,
        guidance_mask=guidance["guidance_mask"],
    )
    compare = graph.node(
        "X2XCompare",
        (2180, 0),
        (660, 800),
        before=radiograph["image"],
        after=edit["edited"],
        guidance=guidance["guidance"],
        guidance_mask=guidance["guidance_mask"],
        instruction=words["instruction"],
    )
    graph.group("Then edit", "edit", edit, compare)


def own_mask(graph: Graph) -> None:
    """What is painted and a box, joined with the guidance mask by ComfyUI's own mask nodes."""
    graph.note(
        f"""
# Paint your own mask
The mask of an edit is an ordinary MASK: any mask node works on it.

- **Paint**: right-click *Load Radiograph*, *Open in MaskEditor*, paint where the image may change too, save.
- **Box**: *Solid Mask* is a box of `width` x `height`; `x` and `y` of *Add the box* say where.
- *Add what was painted*: `operation` **add** joins; **multiply** keeps the guidance only where you painted; **subtract** keeps it out of there.
- *Grow Mask* widens the result.

A mask from a file: *Load Image (as Mask)* instead of the box.

{SYNTHETIC}
""",
        (-430, -40),
        (360, 560),
        "Read me",
    )
    pipeline, radiograph = load(graph)
    words = graph.node("X2XInstruction", (0, 700), (330, 330))
    graph.group("Instruct", "instruct", words)
    found = graph.node("X2XPseudomask", (430, 0), (330, 200), instruction=words["instruction"], image=radiograph["image"])
    relevance = graph.node(
        "X2XRelevanceMap",
        (430, 290),
        (330, 260),
        pipeline=pipeline["pipeline"],
        image=radiograph["image"],
        instruction=words["instruction"],
        seed=SEED,
    )
    guidance = graph.node(
        "X2XGuidanceMap",
        (430, 640),
        (330, 230),
        pseudomask=found["pseudomask"],
        relevance=relevance["relevance"],
        instruction=words["instruction"],
    )
    graph.group("What is found", "guide", found, relevance, guidance)
    painted = graph.node(
        "MaskComposite",
        (860, 0),
        (300, 150),
        "Add what was painted",
        destination=guidance["guidance_mask"],
        source=radiograph["mask"],
        operation="add",
    )
    box = graph.node("SolidMask", (860, 240), (300, 110), "A box", value=1.0, width=90, height=120)
    boxed = graph.node(
        "MaskComposite",
        (860, 440),
        (300, 150),
        "Add the box",
        destination=painted["MASK"],
        source=box["MASK"],
        x=90,
        y=190,
        operation="add",
    )
    grown = graph.node("GrowMask", (860, 680), (300, 90), mask=boxed["MASK"], expand=4)
    shown = graph.node(
        "X2XGuidancePreview",
        (1200, 0),
        (420, 520),
        "Guidance, and the outline of your mask",
        image=radiograph["image"],
        guidance=guidance["guidance"],
        guidance_mask=grown["MASK"],
    )
    graph.group("Your mask over it", "load", painted, box, boxed, grown, shown)
    edit = graph.node(
        "X2XEdit",
        (1730, 0),
        EDITOR,
        pipeline=pipeline["pipeline"],
        image=radiograph["image"],
        instruction=words["instruction"],
        seed=SEED,
        guidance_mask=grown["MASK"],
    )
    compare = graph.node(
        "X2XCompare",
        (2150, 0),
        (660, 800),
        before=radiograph["image"],
        after=edit["edited"],
        guidance=guidance["guidance"],
        guidance_mask=grown["MASK"],
        instruction=words["instruction"],
    )
    graph.group("Edit", "edit", edit, compare)


def severity_series(graph: Graph) -> None:
    """The same finding, seed and radiograph at three levels, in one row."""
    graph.note(
        f"""
# A severity series
One radiograph, one seed, one finding: small, moderate, large.

Only the `level` of the three instructions differs, so what differs in the pictures is the level alone. Choose another `finding` or `side` in all three.

The row at the bottom is: the radiograph, small, moderate, large.

{SYNTHETIC}
""",
        (-430, -40),
        (360, 400),
        "Read me",
    )
    pipeline, radiograph = load(graph)
    row = radiograph["image"]
    stitches = []
    for number, level in enumerate(("small", "moderate", "large")):
        left = 430 + 460 * number
        words = graph.node("X2XInstruction", (left, 0), (360, 300), level.capitalize(), level=level)
        edit = graph.node(
            "X2XEdit",
            (left, 390),
            EDITOR,
            f"Edit: {level}",
            pipeline=pipeline["pipeline"],
            image=radiograph["image"],
            instruction=words["instruction"],
            seed=SEED,
        )
        graph.group(level.capitalize(), "edit", words, edit)
        stitches.append(
            graph.node("ImageStitch", (1850, 200 * number), (300, 150), image1=row, image2=edit["edited"], spacing_width=8)
        )
        row = stitches[-1]["IMAGE"]
    shown = graph.node("PreviewImage", (2190, 0), (1000, 340), "Radiograph, small, moderate, large", images=row)
    save = graph.node(
        "SaveImage", (2190, 430), (1000, 360), "Save the row", images=row, filename_prefix="InstructX2X/severity"
    )
    graph.group("In one row", "look", *stitches, shown, save)


def several_findings(graph: Graph) -> None:
    """Two clauses chained into one instruction, edited at once."""
    graph.note(
        f"""
# Several findings at once
Chain instructions: `instruction` of one into `previous` of the next. Clauses can add, remove and change in one edit.

The pseudomask is the union of the findings' own; the relevance map shows where the model would answer them.

Any text works as well: delete the link into *Edit Radiograph* and type, such as

`Add the findings of edema and cardiomegaly.`

*What was understood* says how a text was read.

{SYNTHETIC}
""",
        (-430, -40),
        (360, 520),
        "Read me",
    )
    pipeline, radiograph = load(graph)
    first = graph.node("X2XInstruction", (430, 0), (330, 300), "First: effusion on the right")
    second = graph.node(
        "X2XInstruction",
        (430, 390),
        (330, 320),
        "Then: a larger heart",
        finding="cardiomegaly",
        level="moderate",
        side="any",
        previous=first["instruction"],
    )
    graph.group("Instruct", "instruct", first, second)
    edit = graph.node(
        "X2XEdit",
        (860, 0),
        EDITOR,
        pipeline=pipeline["pipeline"],
        image=radiograph["image"],
        instruction=second["instruction"],
        seed=SEED,
    )
    graph.group("Edit", "edit", edit)
    shown = graph.node(
        "X2XGuidancePreview",
        (1320, 0),
        (420, 500),
        image=radiograph["image"],
        guidance=edit["guidance"],
        guidance_mask=edit["edit_mask"],
    )
    text = graph.node("PreviewAny", (1320, 590), (420, 210), "What was understood, and how it was made", source=edit["info"])
    compare = graph.node(
        "X2XCompare",
        (1780, 0),
        (660, 800),
        before=radiograph["image"],
        after=edit["edited"],
        guidance=edit["guidance"],
        guidance_mask=edit["edit_mask"],
        instruction=second["instruction"],
    )
    graph.group("Look", "look", shown, text, compare)


def batch_folder(graph: Graph) -> None:
    """Every radiograph of a folder, edited and saved under its own name."""
    graph.note(
        f"""
# A folder, one after the other
Make a folder in ComfyUI's **input** folder, put radiographs into it, press **R** (refresh node definitions) and choose it in *Load Radiographs from Folder*. They may be of different sizes.

Each is edited with the same instruction and seed, and saved under its own name in `save_to`, below ComfyUI's output folder, with its guidance map and panel.

For very many files, set `limit` and move `skip` on from run to run.

{SYNTHETIC}
""",
        (-430, -40),
        (360, 480),
        "Read me",
    )
    pipeline = graph.node("X2XLoadPipeline", (0, 0), LOADER)
    folder = graph.node("X2XLoadFolder", (0, 180), (330, 190))
    words = graph.node("X2XInstruction", (0, 460), (330, 330), finding="cardiomegaly", side="any")
    graph.group("Load and instruct", "load", pipeline, folder, words)
    edit = graph.node(
        "X2XEdit",
        (430, 0),
        EDITOR,
        pipeline=pipeline["pipeline"],
        image=folder["images"],
        instruction=words["instruction"],
        seed=SEED,
    )
    graph.group("Edit each", "edit", edit)
    save = graph.node(
        "X2XSave",
        (890, 0),
        (640, 800),
        image=edit["edited"],
        filename_prefix=folder["save_as"],
        before=folder["images"],
        instruction=words["instruction"],
        guidance=edit["guidance"],
        info=edit["info"],
    )
    graph.group("Save each under its name", "look", save)


def native_graph(graph: Graph) -> None:
    """The method as an ordinary ComfyUI graph of MODEL, CONDITIONING and LATENT."""
    graph.note(
        f"""
# The method in ComfyUI's own samplers
Each step of the edit is a node, so that LoRAs, schedulers, samplers and other patches can come between.

**Checkpoint**: the demo that ships, or an InstructX2X / InstructPix2Pix checkpoint in diffusers layout (a folder with `model_index.json`) under `models/instructx2x` or `models/diffusers`. With the authors' checkpoint use 100 steps, guidance_scale 7.5 and image_guidance_scale 1.5.

The upper sampler follows the instruction, the lower one the same noise **without** it (guidance_scale 0). *Compose Edit* lays the difference of the two over the radiograph, inside the mask: outside, nothing changes.

Keep the three seeds equal.

{SYNTHETIC}
""",
        (-430, -40),
        (360, 620),
        "Read me",
    )
    model = graph.node("X2XLoadNative", (0, 0), (330, 130))
    radiograph = graph.node("X2XLoadRadiograph", (0, 210), PICTURE)
    graph.group("Load", "load", model, radiograph)
    words = graph.node("X2XInstruction", (0, 740), (330, 330))
    text = graph.node(
        "CLIPTextEncode", (430, 0), (330, 130), "The instruction", text=words["instruction"], clip=model["clip"]
    )
    empty = graph.node("CLIPTextEncode", (430, 220), (330, 130), "No instruction", text="", clip=model["clip"])
    latent = graph.node("VAEEncode", (430, 440), (330, 60), pixels=radiograph["image"], vae=model["vae"])
    graph.group("Instruct and encode", "instruct", words)
    graph.group("Encode", "instruct", text, empty, latent)
    region = _native_region(graph, model, radiograph, words, text, empty, latent)
    edited = _native_sampling(graph, model, text, empty, latent, region)
    compare = graph.node(
        "X2XNativeCompose",
        (2180, 0),
        (330, 170),
        image=radiograph["image"],
        edited=edited[0]["IMAGE"],
        unchanged=edited[1]["IMAGE"],
        guidance_mask=region["guidance_mask"],
    )
    shown = graph.node(
        "X2XCompare",
        (2180, 270),
        (660, 760),
        before=radiograph["image"],
        after=compare["result"],
        guidance=region["guidance"],
        guidance_mask=region["guidance_mask"],
        instruction=words["instruction"],
    )
    graph.group("Lay over the radiograph", "look", compare, shown)


def _native_region(graph: Graph, model, radiograph, words, text, empty, latent) -> Placed:
    """Pseudomask, native relevance map, guidance map and its preview."""
    where = graph.node(
        "X2XPseudomask", (860, 0), (330, 200), instruction=words["instruction"], image=radiograph["image"]
    )
    relevance = graph.node(
        "X2XNativeRelevanceMap",
        (860, 290),
        (330, 230),
        model=model["model"],
        positive=text["CONDITIONING"],
        negative=empty["CONDITIONING"],
        latent=latent["LATENT"],
        seed=SEED,
    )
    guidance = graph.node(
        "X2XGuidanceMap",
        (860, 610),
        (330, 230),
        pseudomask=where["pseudomask"],
        relevance=relevance["relevance"],
        instruction=words["instruction"],
    )
    shown = graph.node(
        "X2XGuidancePreview",
        (430, 610),
        (380, 460),
        image=radiograph["image"],
        guidance=guidance["guidance"],
        guidance_mask=guidance["guidance_mask"],
    )
    graph.group("Where may it change?", "guide", where, relevance, guidance)
    graph.group("Look", "look", shown)
    return guidance


def _native_sampling(graph: Graph, model, text, empty, latent, region) -> tuple[Placed, Placed]:
    """The sampler with the instruction and its twin without, decoded."""
    noise = graph.node("RandomNoise", (1290, 0), (330, 90), noise_seed=SEED)
    sampler = graph.node("KSamplerSelect", (1290, 180), (330, 60), sampler_name="ddim")
    steps = graph.node("BasicScheduler", (1290, 330), (330, 110), model=model["model"], scheduler="ddim_uniform", steps=8)
    placed, decoded = [noise, sampler, steps], []
    for number, (title, scale) in enumerate((("With the instruction", 0.8), ("Without it", 0.0))):
        guider = graph.node(
            "X2XRegionGuider",
            (1290, 530 + 250 * number),
            (330, 170),
            title,
            model=model["model"],
            positive=text["CONDITIONING"],
            negative=empty["CONDITIONING"],
            image_latent=latent["LATENT"],
            guidance_scale=scale,
            image_guidance_scale=1.0,
            guidance_mask=region["guidance_mask"],
        )
        sampling = graph.node(
            "SamplerCustomAdvanced",
            (1720, 530 + 250 * number),
            (330, 130),
            noise=noise["NOISE"],
            guider=guider["guider"],
            sampler=sampler["SAMPLER"],
            sigmas=steps["SIGMAS"],
            latent_image=latent["LATENT"],
        )
        decode = graph.node(
            "VAEDecode", (1720, 180 + 150 * number), (330, 60), title, samples=sampling["output"], vae=model["vae"]
        )
        placed += [guider, sampling, decode]
        decoded.append(decode)
    graph.group("Sample", "edit", *placed)
    return decoded[0], decoded[1]


def counterfactual_pairs(graph: Graph) -> None:
    """The same patient with one finding or another, saved side by side for a classifier."""
    graph.note(
        f"""
# Counterfactual pairs for an audit
What would your classifier say of the **same patient** with an effusion on the right, on the left, or with a larger heart?

Each radiograph of the folder is saved four times under one name: `original`, `right-effusion`, `left-effusion`, `cardiomegaly`. Run your classifier on the four folders and compare, patient by patient:

- its score of the finding should rise where the finding was added;
- its other scores, and what it says of age or sex, should stay.

Outside the mask the four pictures are equal bit for bit, so a score that moves, moves for what is inside. Each file's metadata has the instruction, seed and settings.

{SYNTHETIC}
""",
        (-430, -40),
        (360, 640),
        "Read me",
    )
    pipeline = graph.node("X2XLoadPipeline", (0, 0), LOADER)
    folder = graph.node("X2XLoadFolder", (0, 180), (330, 190), save_to="")
    name = graph.node(
        "StringConcatenate", (0, 460), (330, 200), "Save the originals as", string_a="InstructX2X/audit/original", string_b=folder["save_as"], delimiter="/"
    )
    original = graph.node("X2XSave", (0, 750), (330, 330), "Save originals", image=folder["images"], filename_prefix=name["STRING"])
    graph.group("Originals", "load", pipeline, folder, name, original)
    cases = (
        ("right-effusion", {"finding": "pleural effusion", "side": "right"}),
        ("left-effusion", {"finding": "pleural effusion", "side": "left"}),
        ("cardiomegaly", {"finding": "cardiomegaly", "side": "any"}),
    )
    for number, (case, choice) in enumerate(cases):
        _counterfactual(graph, 430 + 860 * number, case, choice, pipeline, folder)


def _counterfactual(graph: Graph, left: int, case: str, choice: dict, pipeline: Placed, folder: Placed) -> None:
    """One question: instruction, edit, name and files."""
    words = graph.node("X2XInstruction", (left, 0), (340, 300), **choice)
    name = graph.node(
        "StringConcatenate",
        (left, 390),
        (340, 200),
        "Save as",
        string_a=f"InstructX2X/audit/{case}",
        string_b=folder["save_as"],
        delimiter="/",
    )
    edit = graph.node(
        "X2XEdit",
        (left + 400, 0),
        EDITOR,
        pipeline=pipeline["pipeline"],
        image=folder["images"],
        instruction=words["instruction"],
        seed=SEED,
    )
    save = graph.node(
        "X2XSave",
        (left, 680),
        (340, 400),
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
}
