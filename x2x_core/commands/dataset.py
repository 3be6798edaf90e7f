"""`x2x dataset`: build MIMIC-EDIT-INSTRUCTION from a credentialed copy of MIMIC, and check a dataset."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .app import App
from .options import Workers
from .outputs import fresh_file
from .progress import progress_bar

app = App(no_args_is_help=True, help="Build MIMIC-EDIT-INSTRUCTION from your own copy of MIMIC, or check a dataset.")

SHOWN = 20  # problems of one kind that are printed


class Schema(StrEnum):
    """Wordings of the instruction language."""

    V1 = "v1"
    V2 = "v2"


class Motion(StrEnum):
    """Transformations that register the past image."""

    AFFINE = "affine"
    RIGID = "rigid"


@app.command()
def build(
    mimic: Annotated[Path, typer.Option(help="Folder of MIMIC-CXR-JPG, with files/ and its tables.")],
    vqa: Annotated[Path, typer.Option(help="Medical-Diff-VQA's mimic_pair_questions.csv or .csv.gz.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the dataset; created if needed.")],
    schema: Annotated[
        Schema | None, typer.Option(help="Wording: v1 (findings) or v2 (levels and places).", show_default="v2")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Side length in pixels.", show_default="512")] = None,
    registration: Annotated[
        Motion | None, typer.Option(help="Transformation that registers the past image.", show_default="affine")
    ] = None,
    min_quality: Annotated[
        float | None,
        typer.Option(help="Minimum similarity of a registered pair, -1 to 1.", show_default="see docs/dataset.md"),
    ] = None,
    min_overlap: Annotated[
        float | None,
        typer.Option(help="Minimum share of the current image that the past image covers.", show_default="0.6"),
    ] = None,
    workers: Workers = None,
) -> None:
    """Build the dataset from MIMIC-CXR-JPG's images and Medical-Diff-VQA's difference answers.

    Every difference row becomes an instruction with a registered pair of images, or is listed in rejected.csv with the
    reason. An interrupted build continues when the command is repeated, and ends with the same bytes. Exits with
    1 if no row was kept.

    Example: x2x dataset build --mimic MIMIC-CXR-JPG --vqa mimic_pair_questions.csv --out runs/mimic
    """
    from x2x_core.dataset.building import build_dataset
    from x2x_core.dataset.layout import REJECTED, REPORT_HTML, REPORT_JSON
    from x2x_core.dataset.settings import BuildSettings

    options: dict[str, Any] = {
        "schema": schema.value if schema else None,
        "size": size,
        "registration": registration.value if registration else None,
        "min_quality": min_quality,
        "min_overlap": min_overlap,
    }
    settings = BuildSettings(**{name: value for name, value in options.items() if value is not None})
    with progress_bar("Building") as update:
        folder = build_dataset(mimic, vqa, out, settings, workers=workers, progress=update)
    report = json.loads((folder / REPORT_JSON).read_text(encoding="utf-8"))
    _print_built(report)
    typer.echo(str(folder / REPORT_HTML))
    typer.echo(str(folder))
    if not report["rows"]["kept"]:
        typer.echo(f"No row was kept: {REJECTED} says why for each.", err=True)
        raise typer.Exit(1)


def _print_built(report: dict[str, Any]) -> None:
    rows, pairs = report["rows"], report["pairs"]
    typer.echo(
        f"{rows['kept']} of {rows['difference']} difference rows kept, {pairs['built']} of {pairs['seen']} pairs."
    )
    for reason, number in rows["rejected"].items():
        typer.echo(f"  rejected, {reason}: {number}")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A dataset in the pair layout.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="JSON file for the statistics and all problems.", show_default="none"),
    ] = None,
    workers: Workers = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing JSON file.")] = False,
) -> None:
    """Check that a dataset is complete and readable, and count its instructions; exits with 1 if it is not.

    Example: x2x dataset check runs/mimic
    """
    from x2x_core.dataset.checking import check_dataset

    out = None if out is None else fresh_file(out, overwrite)
    with progress_bar("Checking") as update:
        checked = check_dataset(folder, workers=workers, progress=update)
    _print_counts(checked.statistics)
    for note in checked.notes:
        typer.echo(note)
    if out is not None:
        out.write_text(json.dumps(checked.as_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        typer.echo(str(out))
    if not checked.problems:
        typer.echo("complete and readable")
        return
    for kind, problems in checked.by_kind().items():
        for problem in problems[:SHOWN]:
            typer.echo(f"{kind}: {problem.text}")
        if len(problems) > SHOWN:
            typer.echo(f"{kind}: {len(problems) - SHOWN} more" + ("" if out else "; use -o FILE for all of them"))
    raise typer.Exit(1)


def _print_counts(statistics: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("Finding", "All", "Add", "Remove", "Change", title=f"{statistics['instructions']} instructions")
    for name, counts in statistics["findings"].items():
        table.add_row(name, *(str(counts[kind]) for kind in ("all", "add", "remove", "change")))
    Console().print(table)
    for title in ("splits", "operations", "levels", "locations"):
        typer.echo(f"{title}: " + ", ".join(f"{name} {number}" for name, number in statistics[title].items()))
