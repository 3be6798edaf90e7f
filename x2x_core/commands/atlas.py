"""`x2x masks build` and `x2x masks evaluate`: build a pseudomask atlas from bounding boxes, and score it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x2x_core.common.errors import InputError, InputNotFoundError, OutputExistsError

from .options import Sizes
from .outputs import fresh_file, fresh_folder
from .progress import progress_bar

if TYPE_CHECKING:
    from rich.table import Table

    from x2x_core.anatomy.frame import Frame
    from x2x_core.pseudomasks.building.boxes import Box

Tables = Annotated[
    list[Path], typer.Argument(help="Tables of boxes: NIH, RSNA, MS-CXR or VinDr-CXR; csv, csv.gz or csv.zip.")
]


def build(
    tables: Tables,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="Atlas file, or folder with --published-style.", show_default="atlas.safetensors"
        ),
    ] = None,
    sizes: Sizes = None,
    published_style: Annotated[
        bool, typer.Option("--published-style", help="Write the union of each category's boxes as .npy files instead.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
) -> None:
    """Build an atlas from experts' bounding boxes, and score it on held-out patients.

    Example: x2x masks build BBox_List_2017.csv.gz -o atlas.safetensors
    """
    from rich.console import Console

    from x2x_core.pseudomasks.building.making import build_atlas, read_tables

    if published_style:
        _build_published(read_tables(tables, sizes)[0], out, overwrite)
        return
    out = fresh_file(out or Path("atlas.safetensors"), overwrite)
    with progress_bar("Scoring") as update:
        atlas = build_atlas(tables, out, sizes=sizes, progress=update)
    Console().print(_table(atlas.metadata["held_out"]["categories"]))
    typer.echo(str(out))


def _build_published(boxes: Iterable[Box], folder: Path | None, overwrite: bool) -> None:
    from x2x_core.pseudomasks.building.union_masks import save_union_masks

    if folder is None:
        raise InputError("`--published-style` requires a folder for the masks. Add -o FOLDER.")
    if folder.is_dir() and any(folder.glob("*.npy")) and not overwrite:
        raise OutputExistsError(f"`{folder}` already holds masks. Give another folder with -o, or add --overwrite.")
    fresh_folder(folder, (), overwrite)
    for path in save_union_masks(boxes, folder):
        typer.echo(str(path))


def evaluate(
    tables: Annotated[
        list[Path] | None, typer.Argument(help="Tables of boxes: NIH, RSNA, MS-CXR or VinDr-CXR.", show_default="none")
    ] = None,
    sizes: Sizes = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the tables' images, to score alignment too.", show_default="none")
    ] = None,
    simulated: Annotated[
        Path | None, typer.Option(help="Simulated pairs whose changes serve as boxes.", show_default="none")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Folder of published masks to score on the same boxes.", show_default="none")
    ] = None,
    folds: Annotated[int, typer.Option(help="Number of folds over the patients.")] = 5,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="JSON file to write.", show_default="none")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing JSON file.")] = False,
) -> None:
    """Cross-validate an atlas: how tight and how complete it is on patients that it was not built from.

    Each fold of the patients is held out once, and an atlas built from the others is scored on it: the share of the
    image that it opens to editing, and the share of the held-out boxes' pixels inside. "Floor" is the smallest share of
    the image that any map could open at the same coverage. "Aligned" needs the images.

    Example: x2x masks evaluate BBox_List_2017.csv.gz -o scores.json
    """
    from rich.console import Console

    from x2x_core import PseudomaskAtlas
    from x2x_core.imaging.provenance import versions
    from x2x_core.pseudomasks.building.evaluation import evaluate_boxes
    from x2x_core.pseudomasks.building.making import EVALUATION_SEED, read_tables
    from x2x_core.pseudomasks.building.simulated_boxes import simulated_boxes, simulated_image

    if not tables and simulated is None:
        raise InputError("`tables` or `--simulated` is required: name a table of boxes or a folder of simulated pairs.")
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
    with progress_bar("Scoring") as update:
        scores = evaluate_boxes(boxes, folds, EVALUATION_SEED, frames, published, update)
    Console().print(_table(scores, published is not None))
    if out is not None:
        record = {"folds": folds, "seed": EVALUATION_SEED, "grouped_by": "patient", "tables": described}
        record |= {"aligned": aligned, "categories": scores, "versions": versions()}
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        typer.echo(str(out))


def _image_files(boxes: Sequence[Box], folder: Path) -> dict[str, Path]:
    """Return the file of each image id, which may lack its suffix.

    Raises:
        InputNotFoundError: there is no such folder, or it lacks an image.
    """
    if not folder.is_dir():
        raise InputNotFoundError(f"There is no folder of images at `{folder}`.")
    present = sorted(folder.iterdir())
    by_name = {path.stem: path for path in present} | {path.name: path for path in present}
    names = sorted({box.image_id for box in boxes})
    missing = [name for name in names if name not in by_name]
    if missing:
        raise InputNotFoundError(
            f"`{folder}` must hold every image that the tables name, but {len(missing)} of {len(names)} are missing, "
            f"such as {missing[0]}."
        )
    return {name: by_name[name] for name in names}


def _frames(files: Mapping[str, Path]) -> dict[str, Frame]:
    """Align the bundled atlas to each image, and return the frames by image id."""
    from x2x_core import PseudomaskAtlas
    from x2x_core.imaging.files import read_image

    atlas = PseudomaskAtlas.bundled()
    frames = {}
    with progress_bar("Aligning") as update:
        for done, (name, path) in enumerate(files.items(), start=1):
            frames[name] = atlas.align(read_image(path).pixels).frame
            update(done, len(files))
    return frames


def _table(scores: Mapping[str, Mapping[str, Any]], with_baseline: bool = False) -> Table:
    """Lay out one row per finding and case, narrow enough for a terminal of 80 columns."""
    from rich.table import Table

    from x2x_core.pseudomasks.building.evaluation import ALIGNED, BASELINE, CASES

    title = "Share of the image / of held-out boxes"
    table = Table("Map", "Case", "Editable", "Covered", "Floor", "Aligned", title=title)
    for name, cases in scores.items():
        table.add_section()
        for case, aligned_case in zip(CASES, ALIGNED):
            score, aligned = cases[case], cases.get(aligned_case)
            shares = [f"{score[key]:.1%}" for key in ("editable_share", "coverage", "floor")]
            both = f"{aligned['editable_share']:.1%} / {aligned['coverage']:.1%}" if aligned else "no images"
            table.add_row(name if case == CASES[0] else "", case, *shares, both)
        if with_baseline:
            score = cases.get(BASELINE)
            shares = [f"{score['editable_share']:.1%}", f"{score['coverage']:.1%}"] if score else ["no mask", ""]
            table.add_row("", BASELINE, *shares, "", "")
    return table
