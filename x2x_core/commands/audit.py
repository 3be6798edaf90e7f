"""`x2x audit classifier`: score the same patient with and without a finding with a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x2x_core.common.errors import InputError

from .evaluate_pairs import model_record
from .loading import choose_device, load_pipeline
from .options import Device, Model
from .progress import progress_bar
from .report import print_report
from .tables import print_table

if TYPE_CHECKING:
    from x2x_core.evaluation.results import Results


def audit(
    images: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    findings: Annotated[str, typer.Option(help='Findings to edit, separated by commas: "pleural effusion, edema".')],
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="Folder for record, pictures and report; a run that was stopped continues."),
    ],
    classifier: Annotated[
        str, typer.Option(help="bundled, torchxrayvision:NAME, or a TorchScript or ONNX file.")
    ] = "bundled",
    model: Model = "demo",
    side: Annotated[
        str | None, typer.Option(help="left, right or bilateral, for findings that have a side.", show_default="none")
    ] = None,
    seed: Annotated[int, typer.Option(help="The n-th image is edited with seed + n.")] = 0,
    device: Device = None,
) -> None:
    """Report whether a classifier's score follows counterfactual edits.

    Each finding is added to each image weak, moderate and strong, and removed. The report says whether the score
    follows the edit, in which order, which other scores move, and which images break it.

    Example: x2x audit chests/ --classifier bundled --findings "pleural effusion, edema" -o audit
    """
    from x2x_core.evaluation.audit.edits import audit_images
    from x2x_core.evaluation.audit.plan import AuditSettings, check_findings, find_images
    from x2x_core.evaluation.audit.summary import NOTICE, RECORD, summarise_audit
    from x2x_core.evaluation.report.drawing import check_drawing
    from x2x_core.scorers.bundled import BUNDLED, SIMULATED_NOTICE
    from x2x_core.scorers.loading import load_scorer
    from x2x_core.scorers.scorer import PROBABILITY

    check_drawing()
    check_side(side)
    files = find_images(images)
    scorer = load_scorer(classifier, PROBABILITY, choose_device(device))
    settings = AuditSettings(scorer.name, check_findings(findings.split(","), scorer), model, side, seed)
    pipeline = load_pipeline(model, None, device, "float32")
    with progress_bar("Auditing") as update:
        records = audit_images(pipeline, scorer, files, settings, out, update)
    about = model_record(model)
    if classifier == BUNDLED:
        about["notice"] = f"{SIMULATED_NOTICE} {NOTICE}"
    results = summarise_audit(records, settings, about)
    results.write_json(out / RECORD)
    _print(results, len(files))
    print_report(out)


def check_side(side: str | None) -> None:
    """Check a side.

    Raises:
        InputError: another one.
    """
    from x2x_core.language.vocabulary import SIDES

    if side is not None and side not in SIDES:
        raise InputError(f"`--side` must be one of {', '.join(SIDES)}, got {side!r}.")


def _print(results: Results, images: int) -> None:
    """Print a line for each operation and finding."""
    from x2x_core.evaluation.audit.measures import AUDIT_MEASURES
    from x2x_core.evaluation.report.view import value_text

    rows: list[list[str]] = []
    bold = []
    for row in results.rows:
        bold.append(len(rows))
        for name, metrics in {f"{row.name}, all": row.metrics, **row.per_finding}.items():
            rows.append([name, *(value_text(measure, metrics.get(measure.key)) for measure in AUDIT_MEASURES)])
    print_table(["", *(measure.heading for measure in AUDIT_MEASURES)], rows, bold)
    typer.echo(f"{images} images. {results.about['notice']}")
