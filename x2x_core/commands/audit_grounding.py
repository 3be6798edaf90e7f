"""`x2x audit grounding`: find out whether a model's answers follow the finding in the image, and nothing else."""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x2x_core.common.errors import InputError

from .audit import check_side
from .evaluate_pairs import model_record
from .loading import choose_device, load_pipeline
from .options import Device, Model
from .progress import progress_bar
from .report import print_report
from .tables import print_table

if TYPE_CHECKING:
    from x2x_core.evaluation.grounding.plan import AuditCase
    from x2x_core.evaluation.results import Results


class Mode(StrEnum):
    """Tests of an answer."""

    GROUNDING = "grounding"
    ACQUISITION = "acquisition"
    MANIFESTATION = "manifestation"
    POPULATION = "population"


class Background(StrEnum):
    """Ways to change the same amount elsewhere."""

    MOVED = "moved"
    MODEL = "model"


def grounding(
    answerer: Annotated[
        list[str],
        typer.Option(
            help="bundled, torchxrayvision:NAME, a TorchScript or ONNX file, huggingface:PLACE, openai:MODEL (address "
            "in OPENAI_BASE_URL, key in OPENAI_API_KEY) or command:PROGRAM, after NAME= if you like; repeat it for "
            "several."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="Folder for edits, answers and report; a run that was stopped continues."),
    ],
    images: Annotated[list[Path] | None, typer.Argument(help="Image files, or folders of them.")] = None,
    findings: Annotated[
        str | None, typer.Option(help='Findings, separated by commas: "pleural effusion, edema".', show_default="none")
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option(
            help="CSV table instead: image, finding, and as needed question, answer (yes or no), side, keep.",
            show_default="none",
        ),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="Grounding, or one of three tests of a shift.")] = Mode.GROUNDING,
    side: Annotated[
        str | None, typer.Option(help="left, right or bilateral, for findings that have a side.", show_default="none")
    ] = None,
    levels: Annotated[int, typer.Option(help="Strengths at which a finding is added, 1 or 3.")] = 3,
    seeds: Annotated[int, typer.Option(help="Seeds for each image and question.")] = 1,
    seed: Annotated[int, typer.Option(help="The first seed; the n-th question is edited with seed + n.")] = 0,
    background: Annotated[
        Background,
        typer.Option(
            help="The same amount elsewhere: the finding's own changes moved, or an edit of the model, scaled."
        ),
    ] = Background.MOVED,
    medground: Annotated[
        bool, typer.Option("--medground", help="Apply the filter of MedGround-Bench; writes kept.csv.")
    ] = False,
    added: Annotated[
        str | None, typer.Option(help="Findings that mode population adds, separated by commas.", show_default="none")
    ] = None,
    keep_masks: Annotated[
        Path | None,
        typer.Option(help="Folder with a mask NAME.png for each image: what edits must leave.", show_default="none"),
    ] = None,
    model: Model = "demo",
    device: Device = None,
) -> None:
    """Report whether a model's answers follow the finding in the image, and nothing else.

    Each image and question gets edits by one seed: the finding added and removed, and the same amount of change
    elsewhere. Any model that answers is asked before and after; the report says which do not look.

    Example: x2x audit grounding chests/ --findings "pleural effusion" --answerer bundled -o grounding
    """
    from x2x_core.evaluation.grounding.plan import GroundingSettings, check_plan, known_findings
    from x2x_core.evaluation.grounding.rows import check_tables
    from x2x_core.evaluation.grounding.run import answer_cases, claim_run, make_edits
    from x2x_core.evaluation.report.drawing import check_drawing
    from x2x_core.scorers.answerers.answerer import check_questions
    from x2x_core.scorers.answerers.loading import open_answerer

    check_drawing()
    check_tables()
    check_side(side)
    cases = _cases(images, findings, questions, side, keep_masks)
    others = known_findings(added.split(","), "added") if added else ()
    settings = GroundingSettings(
        mode.value, model, levels, seeds, seed, others, background.value, medground
    )  # fmt: skip
    check_plan(cases, settings)
    with ExitStack() as opened:
        models = {spec: opened.enter_context(open_answerer(spec, choose_device(device))) for spec in answerer}
        for one in models.values():
            check_questions(one, (case.question.finding for case in cases))
        claim_run(cases, settings, out)
        with progress_bar("Edits") as update:
            records = make_edits(load_pipeline(model, None, device, "float32"), cases, settings, out, update)
        answers = {}
        for one in models.values():
            with progress_bar(one.name) as update:
                answers[one.name] = answer_cases(one, records, out, update)
    _finish(out, settings, records, answers, answerer, model)


def _cases(
    images: list[Path] | None, findings: str | None, questions: Path | None, side: str | None, keep_masks: Path | None
) -> list[AuditCase]:
    from x2x_core.evaluation.grounding.plan import plan_cases, read_questions

    if questions is None:
        if not images or findings is None:
            raise InputError("`IMAGES` and `--findings` are required, or `--questions` instead of both.")
        return plan_cases(images, findings.split(","), side, keep_masks)
    if images or findings is not None or side is not None or keep_masks is not None:
        raise InputError(
            "`--questions` names images, findings, sides and keep masks: leave out `IMAGES`, `--findings`, `--side` "
            "and `--keep-masks`."
        )
    return read_questions(questions)


def _finish(out: Path, settings, records: list, answers: dict, specs: list[str], model: str) -> None:
    """Write rows, record and report, and print the measures."""
    from x2x_core.evaluation.grounding.kept import write_kept
    from x2x_core.evaluation.grounding.rows import audit_rows, write_rows
    from x2x_core.evaluation.grounding.summary import NOTICE, RECORD, summarise_grounding
    from x2x_core.scorers.bundled import BUNDLED, SIMULATED_NOTICE

    rows = list(audit_rows(records, answers))
    about = {**model_record(model), "readers": list(answers)}
    if any(spec.rpartition("=")[2] == BUNDLED for spec in specs):
        about["notice"] = f"{SIMULATED_NOTICE} {NOTICE}"
    results = summarise_grounding(rows, settings, about, records)
    results.write_json(out / RECORD)
    files = write_rows(out, rows)
    if settings.medground:
        files.append(write_kept(out, rows))
    _print(results)
    for path in files:
        typer.echo(str(path))
    print_report(out)


def _print(results: Results) -> None:
    """Print the measures of each model, and the verdict."""
    from x2x_core.evaluation.report.view import View, value_text

    measures = View(results).chosen_measures((), len(results.about["shown"]))
    rows: list[list[str]] = []
    bold = []
    for row in results.rows:
        bold.append(len(rows))
        for name, metrics in {row.name: row.metrics, **row.per_finding}.items():
            rows.append([name, *(value_text(measure, metrics.get(measure.key)) for measure in measures)])
    print_table(["", *(measure.heading for measure in measures)], rows, bold)
    for sentence in results.about["verdict"]["sentences"]:
        typer.echo(sentence)
    typer.echo(f"{results.about['size']}. {results.about['notice']}")
