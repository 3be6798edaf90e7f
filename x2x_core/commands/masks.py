"""`x2x masks`: look at pseudomasks, build an atlas of them, and measure it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from x2x_core.common.errors import InputError, InputNotFoundError, OutputExistsError

from .outputs import fresh_file, fresh_folder, fresh_png, save_picture
from .progress import progress_bar

app = typer.Typer(no_args_is_help=True, help="Look at pseudomasks (where findings can be), and build an atlas of them.")


@app.command()
def show(
    prompt: Annotated[
        str,
        typer.Argument(
            help='An instruction, or a finding such as "left pleural effusion"; or, alone, a radiograph to see its lungs.'
        ),
    ],
    image: Annotated[Path | None, typer.Argument(help="A radiograph to lay the mask over. [default: none]")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="PNG file to write. [default: pseudomask.png, lungs.png]")
    ] = None,
    pseudomasks: Annotated[
        Path | None, typer.Option(help="Atlas file or folder of pseudomasks. [default: the one that ships]")
    ] = None,
    align: Annotated[bool, typer.Option("--align/--no-align", help="Lay the mask over this patient's lungs.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Draw the region that an instruction opens to editing, on this patient where an image is given.

    With an image alone (the one argument is a file that exists) draw the lungs that were found in it. The patient's right
    lung is on the image's left.

    Examples: x2x masks show "Add the finding of left pleural effusion." chest.png -o mask.png

    x2x masks show chest.png -o lungs.png
    """
    from x2x_core import PseudomaskAtlas

    atlas = PseudomaskAtlas.load(pseudomasks) if pseudomasks else PseudomaskAtlas.bundled()
    if image is None and Path(prompt).is_file():
        _show_lungs(atlas, Path(prompt), fresh_png(out or Path("lungs.png"), overwrite))
    else:
        _show_mask(atlas, prompt, image, fresh_png(out or Path("pseudomask.png"), overwrite), align)


def _show_lungs(atlas, image: Path, out: Path) -> None:
    from x2x_core.anatomy.lung_overlay import lung_overlay
    from x2x_core.imaging.files import read_image

    pixels = read_image(image).pixels
    alignment = atlas.align(pixels)
    save_picture(out, lung_overlay(pixels, alignment.lungs), {"alignment": alignment.as_dict()})
    typer.echo(f"lungs: confidence {float(alignment.lungs.confidence[0]):.2f}")
    typer.echo(alignment.note)
    typer.echo(str(out))


def _show_mask(atlas, prompt: str, image: Path | None, out: Path, align: bool) -> None:
    from x2x_core.anatomy.lung_overlay import lung_overlay
    from x2x_core.anatomy.sites import EDGE_LEVEL
    from x2x_core.imaging.files import read_image
    from x2x_core.imaging.overlay import guidance_overlay, mask_contour

    instruction = _understand(prompt)
    pixels = read_image(image).pixels if image else _blank()
    follow = align and image is not None and not atlas.published and instruction.region != "image"
    alignment = atlas.align(pixels) if follow else None
    mask = atlas.for_instruction(instruction, tuple(pixels.shape[-2:]), alignment.frame if alignment else None)
    picture = mask_contour(guidance_overlay(pixels, mask), mask >= EDGE_LEVEL)
    if alignment:
        picture = lung_overlay(picture, alignment.lungs)
    record = {"instruction": str(instruction), "alignment": alignment.as_dict() if alignment else None}
    save_picture(out, picture, record)
    sources = atlas.sources(instruction)
    for source in sources:
        kind = "experts' boxes of" if source.kind == "boxes" else "its anatomic site,"
        typer.echo(f"{source.finding}: from {kind} {source.name}")
    if not sources:
        typer.echo(f"no known finding: the whole {instruction.region}")
    if alignment:
        typer.echo(alignment.note)
    typer.echo(f"editable at most: {float((mask >= EDGE_LEVEL).float().mean()):.1%} of the image")
    typer.echo(str(out))


def _understand(text: str):
    """An instruction; a finding alone counts as adding it."""
    from x2x_core import Instruction
    from x2x_core.language.vocabulary import find_finding

    instruction = Instruction.parse(f"Add {text}") if find_finding(text) else None
    return instruction if instruction and instruction.clauses else Instruction.parse(text)


def _blank():
    import torch

    return torch.full((1, 1, 512, 512), 0.35)


Tables = Annotated[
    list[Path], typer.Argument(help="Box tables: NIH, RSNA, MS-CXR or VinDr-CXR; csv, csv.gz or csv.zip.")
]
Sizes = Annotated[Path | None, typer.Option(help="Table of image sizes, for VinDr-CXR. [default: none]")]


@app.command()
def build(
    tables: Tables,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Atlas file, or folder if --published-style. [default: atlas.safetensors]"),
    ] = None,
    sizes: Sizes = None,
    published_style: Annotated[
        bool, typer.Option("--published-style", help="Write each category's union of boxes instead, as .npy files.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Build an atlas from experts' bounding boxes, and measure it on held-out patients.

    Example: x2x masks build BBox_List_2017.csv.gz -o atlas.safetensors
    """
    from rich.console import Console

    from x2x_core.pseudomasks.building.making import build_atlas, read_tables

    if published_style:
        _build_published(read_tables(tables, sizes)[0], out, overwrite)
        return
    out = fresh_file(out or Path("atlas.safetensors"), overwrite)
    with progress_bar("Measuring") as update:
        atlas = build_atlas(tables, out, sizes=sizes, progress=update)
    Console().print(_table(atlas.metadata["held_out"]["categories"]))
    typer.echo(str(out))


def _build_published(boxes, folder: Path | None, overwrite: bool) -> None:
    from x2x_core.pseudomasks.building.union_masks import save_union_masks

    if folder is None:
        raise InputError("`-o` must name the folder for masks in the published style. Add -o FOLDER.")
    if folder.is_dir() and any(folder.glob("*.npy")) and not overwrite:
        raise OutputExistsError(f"`{folder}` already holds masks. Give another folder with -o, or add --overwrite.")
    fresh_folder(folder, (), overwrite)
    for path in save_union_masks(boxes, folder):
        typer.echo(str(path))


@app.command()
def evaluate(
    tables: Annotated[
        list[Path] | None, typer.Argument(help="Box tables: NIH, RSNA, MS-CXR or VinDr-CXR. [default: none]")
    ] = None,
    sizes: Sizes = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the tables' images, to measure alignment. [default: none]")
    ] = None,
    simulated: Annotated[
        Path | None, typer.Option(help="Simulated dataset whose changes give boxes, and images. [default: none]")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Folder of published masks to measure on the same boxes. [default: none]")
    ] = None,
    folds: Annotated[int, typer.Option(help="Parts to deal the patients into.")] = 5,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="JSON file to write. [default: none]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the JSON file if it is there.")] = False,
) -> None:
    """Measure how tight and how complete an atlas is on patients that it was not built from.

    Each part of the patients is held out once; an atlas is built from the others and measured on it: the share of
    the image that it opens to editing, and the share of the held-out boxes' pixels that lie there. Floor is the least
    that any map in the frame of the image could open and hold as much, drawn with those boxes known. Aligned needs the
    images.

    Example: x2x masks evaluate BBox_List_2017.csv.gz -o scores.json
    """
    from rich.console import Console

    from x2x_core import PseudomaskAtlas
    from x2x_core.imaging.provenance import versions
    from x2x_core.pseudomasks.building.evaluation import evaluate_boxes
    from x2x_core.pseudomasks.building.making import EVALUATION_SEED, read_tables
    from x2x_core.pseudomasks.building.simulated_boxes import simulated_boxes, simulated_image

    if not tables and simulated is None:
        raise InputError("`tables` must name at least one table of boxes, or `--simulated` a dataset. Give one.")
    if out is not None:
        out = fresh_file(out, overwrite)
    boxes, described = read_tables(tables, sizes) if tables else ([], [])
    files = _image_files(boxes, images) if images else {}
    if simulated is not None:
        drawn = simulated_boxes(simulated)
        boxes = boxes + drawn
        files.update({box.image_id: simulated_image(simulated, box.image_id) for box in drawn})
        described = [*described, {"file": simulated.name, "format": "simulated", "boxes": len(drawn)}]
    aligned = {box.image_id for box in boxes} <= set(files)
    frames = _frames(files) if aligned else None
    published = PseudomaskAtlas.load(baseline) if baseline else None
    with progress_bar("Measuring") as update:
        measured = evaluate_boxes(boxes, folds, EVALUATION_SEED, frames, published, update)
    Console().print(_table(measured, published is not None))
    if out is not None:
        record = {"folds": folds, "seed": EVALUATION_SEED, "grouped_by": "patient", "tables": described}
        record |= {"aligned": aligned, "categories": measured, "versions": versions()}
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        typer.echo(str(out))


def _image_files(boxes, folder: Path) -> dict[str, Path]:
    """Image id to its file: the id itself, or with an ending."""
    if not folder.is_dir():
        raise InputNotFoundError(f"There is no folder of images at `{folder}`.")
    present = sorted(folder.iterdir())
    there = {path.stem: path for path in present} | {path.name: path for path in present}
    wanted = sorted({box.image_id for box in boxes})
    missing = [name for name in wanted if name not in there]
    if missing:
        raise InputNotFoundError(
            f"`{folder}` must hold every image that the tables name, but {len(missing)} of {len(wanted)} are missing, "
            f"such as {missing[0]}."
        )
    return {name: there[name] for name in wanted}


def _frames(files: dict[str, Path]) -> dict:
    """Each image's frame, as the atlas finds it."""
    from x2x_core import PseudomaskAtlas
    from x2x_core.imaging.files import read_image

    atlas = PseudomaskAtlas.bundled()
    frames = {}
    with progress_bar("Aligning") as update:
        for done, (name, path) in enumerate(files.items(), start=1):
            frames[name] = atlas.align(read_image(path).pixels).frame
            update(done, len(files))
    return frames


def _table(measured: dict, with_baseline: bool = False):
    """One row for each finding and case; narrow enough for a terminal of 80 columns."""
    from rich.table import Table

    from x2x_core.pseudomasks.building.evaluation import ALIGNED, BASELINE, CASES

    title = "Share of the image / of held-out boxes"
    table = Table("Map", "Case", "Editable", "Covered", "Floor", "Aligned", title=title)
    for name, cases in measured.items():
        table.add_section()
        for case, aligned in zip(CASES, ALIGNED):
            score, moved = cases[case], cases.get(aligned)
            shares = (f"{score[key]:.1%}" for key in ("editable_share", "coverage", "floor"))
            there = f"{moved['editable_share']:.1%} / {moved['coverage']:.1%}" if moved else "no images"
            table.add_row(name if case == CASES[0] else "", case, *shares, there)
        if with_baseline:
            score = cases.get(BASELINE)
            shares = [f"{score['editable_share']:.1%}", f"{score['coverage']:.1%}"] if score else ["no mask", ""]
            table.add_row("", BASELINE, *shares, "", "")
    return table
