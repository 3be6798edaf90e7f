"""`x2x audit`: what a classifier says of the same patient with and without a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from x2x_core.common.errors import InputError

from .loading import load_pipeline, model_folder
from .progress import progress_bar


def audit(
    images: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    findings: Annotated[str, typer.Option(help='Findings to edit, with commas: "pleural effusion, edema".')],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for record, pictures and report; goes on where it was.")
    ],
    classifier: Annotated[
        str, typer.Option(help="bundled, torchxrayvision:NAME, or a TorchScript or ONNX file.")
    ] = "bundled",
    model: Annotated[
        str, typer.Option(help='"demo", a folder in diffusers layout, or a Hugging Face repository.')
    ] = "demo",
    side: Annotated[
        str | None, typer.Option(help="left, right or bilateral, for findings that have one. [default: not said]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the edits: the n-th image is edited with seed + n.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ... [default: the best there is]")] = None,
) -> None:
    """Edit each image (each finding added weak, moderate and strong, and removed), score it before and after, and report
    whether the classifier's score follows the edit, how orderly, which other scores move, and which images break it.

    Example: x2x audit chests/ --classifier bundled --findings "pleural effusion, edema" -o audit
    """
    from x2x_core.evaluation.audit.edits import AuditSettings, audit_images, check_findings, find_images
    from x2x_core.evaluation.audit.run import NOTICE, RECORD, summarise_audit
    from x2x_core.evaluation.report.comparison_figures import check_drawing
    from x2x_core.evaluation.report.report import write_report
    from x2x_core.imaging.provenance import sha256_weights, versions
    from x2x_core.scorers.adapters import load_scorer
    from x2x_core.scorers.bundled import SIMULATED_NOTICE
    from x2x_core.scorers.network_files import BUNDLED
    from x2x_core.scorers.scorer import PROBABILITY

    from .loading import choose_device

    check_drawing()
    _check_side(side)
    files = find_images(images)
    scorer = load_scorer(classifier, PROBABILITY, choose_device(device))
    chosen = check_findings(findings.split(","), scorer)
    settings = AuditSettings(scorer.name, chosen, model, side, seed)
    pipeline = load_pipeline(model, None, device, "float32")
    with progress_bar("Auditing") as update:
        records = audit_images(pipeline, scorer, files, settings, out, update)
    folder = model_folder(model)
    about = {"model": model, "weights_sha256": sha256_weights(folder) if folder else None, "versions": versions()}
    if classifier == BUNDLED:
        about["notice"] = f"{SIMULATED_NOTICE} {NOTICE}"
    results = summarise_audit(records, settings, about)
    results.write_json(out / RECORD)
    _print(results, len(files))
    for path in write_report(out):
        typer.echo(str(path))


def _check_side(side: str | None) -> None:
    from x2x_core.language.vocabulary import SIDES

    if side is not None and side not in SIDES:
        raise InputError(f"`--side` must be one of {', '.join(SIDES)}, got {side!r}.")


def _print(results, images: int) -> None:
    """The table: a line for each operation and finding."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from x2x_core.evaluation.audit.run import AUDIT_MEASURES
    from x2x_core.evaluation.report.view import text

    table = Table("", *(one.heading for one in AUDIT_MEASURES), box=SIMPLE_HEAD)
    for row in results.rows:
        for name, metrics in {f"{row.name}, all": row.metrics, **row.per_finding}.items():
            cells = [text(one, metrics.get(one.key)) for one in AUDIT_MEASURES]
            table.add_row(name, *cells, style="bold" if name.endswith(", all") else None)
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
    typer.echo(f"{images} images. {results.about['notice']}")
