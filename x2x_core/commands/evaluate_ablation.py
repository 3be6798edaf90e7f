"""`x2x evaluate ablation`: compare ways to restrict an edit on the same simulated pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import evaluate_options as options
from .evaluate_pairs import EvaluatedModel, OpenPairs, PairSource
from .outputs import fresh_file, fresh_png, save_picture
from .progress import progress_bar
from .setting_options import ScaleOptions
from .tables import print_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from x2x_core import InstructX2XPipeline
    from x2x_core.evaluation.benchmark.ablation import Ablation
    from x2x_core.evaluation.benchmark.rows import Row


def ablation(
    *,
    model: EvaluatedModel,
    source: PairSource,
    out: options.JsonFile = None,
    parts: Annotated[bool, typer.Option("--parts", help="Add rows of ours, each without one part.")] = False,
    peers: Annotated[bool, typer.Option("--peers", help="Add rows of DiffEdit's mask and RadEdit.")] = False,
    published_masks: options.PublishedMasks = None,
    published_settings: Annotated[
        bool, typer.Option("--published-settings", help="Add a row of published RSE at its own steps and scales.")
    ] = False,
    figure: Annotated[Path | None, typer.Option(help="PNG of all measures.", show_default="none")] = None,
    gallery: Annotated[
        Path | None, typer.Option(help="PNG of the best, median and worst pair.", show_default="none")
    ] = None,
    scales: ScaleOptions,
    overwrite: options.Overwrite = False,
) -> None:
    """Compare no restriction, relevance only, pseudomask only, published RSE and ours on the same pairs and seeds.

    Example: x2x evaluate ablation --ct ct-folder --count 40 -o ablation.json --figure ablation.png
    """
    from x2x_core.evaluation.metrics.scoring import check_scoring
    from x2x_core.evaluation.report.drawing import check_drawing

    check_scoring()
    if figure or gallery:
        check_drawing()
    out = out and fresh_file(out, overwrite)
    figure, gallery = (path and fresh_png(path, overwrite) for path in (figure, gallery))
    pipeline = model.load()
    opened = source.open()
    call = scales.arguments()
    rows = _rows(pipeline, call, parts, peers, published_masks, published_settings)
    compared = _compare(pipeline, opened, rows, call, keep_pictures=gallery is not None)
    compared = replace(compared, results=replace(compared.results, about={**compared.results.about, **model.record()}))
    _print(compared)
    if figure is not None:
        from x2x_core.evaluation.report.figures import draw_forest
        from x2x_core.evaluation.report.view import View

        _save(figure, draw_forest(View(compared.results)), "measures", compared)
    if gallery is not None:
        from x2x_core.evaluation.report.pair_gallery import draw_gallery

        _save(gallery, draw_gallery(compared), "gallery", compared)
    if out is not None:
        compared.results.write_json(out)
        typer.echo(str(out))


def _rows(
    pipeline: InstructX2XPipeline,
    call: dict[str, Any],
    parts: bool,
    peers: bool,
    masks: Path | None,
    published_settings: bool,
) -> tuple[Row, ...]:
    from x2x_core import PseudomaskAtlas
    from x2x_core.evaluation.benchmark.rows import DIFFEDIT, RADEDIT, UNEDITED_ROW
    from x2x_core.evaluation.benchmark.standard_rows import benchmark_rows, parts_of_ours, standard_rows

    folder = PseudomaskAtlas.load(masks) if masks else None
    *others, ours = standard_rows(pipeline, call, published_masks=folder, published_settings=published_settings)
    if peers:
        of_benchmark = benchmark_rows(pipeline, call, published_masks=folder)
        others += [row for row in of_benchmark if row.name in (DIFFEDIT, RADEDIT)]
    return (UNEDITED_ROW, *others, ours, *(parts_of_ours(pipeline, call) if parts else ()))


def _compare(
    pipeline: InstructX2XPipeline, opened: OpenPairs, rows: tuple[Row, ...], call: dict[str, Any], keep_pictures: bool
) -> Ablation:
    from x2x_core.evaluation.benchmark.ablation import AblationSettings, run_ablation
    from x2x_core.evaluation.benchmark.standard_rows import settings_note

    settings = AblationSettings(
        count=opened.count, seed=opened.seed, source=opened.settings, note=settings_note(pipeline, call),
        keep_pictures=keep_pictures,
    )  # fmt: skip
    with progress_bar("Editing") as update:
        return run_ablation(pipeline, opened.pairs, rows, settings, update)


def _print(compared: Ablation) -> None:
    from x2x_core.evaluation.report.text_table import row_notes, text_table
    from x2x_core.evaluation.report.view import View

    view = View(compared.results)
    headings, *rows = text_table(view)
    print_table(headings, rows, bold=[index for index, row in enumerate(rows) if not any(row[1:])])
    for note in row_notes(view):
        typer.echo(note)


def _save(path: Path, figure: Figure, kind: str, compared: Ablation) -> None:
    from x2x_core.evaluation.report.drawing import DOTS_PER_INCH, as_picture

    about = compared.results.about
    parameters = {"figure": kind, **about["settings"], "note": about["note"]}
    save_picture(path, as_picture(figure), parameters, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    typer.echo(str(path))
