"""`x2x evaluate films`: run or continue the benchmark on films, and write a reading sheet."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x2x_core.common.errors import InputError

from . import evaluate_options as options
from .evaluate_pairs import EvaluatedModel, model_record
from .evaluate_running import benchmark_workers, run_with_progress
from .options import Workers
from .progress import progress_bar
from .report import print_report
from .setting_options import ScaleOptions
from .tables import print_table

if TYPE_CHECKING:
    from x2x_core.evaluation.benchmark.film_settings import FilmSettings
    from x2x_core.evaluation.benchmark.run import Loader
    from x2x_core.evaluation.reading.plan import ReadingSettings
    from x2x_core.evaluation.results import Results
    from x2x_core.simulation.films.survey import Survey


class SheetLevels(StrEnum):
    """Levels that a reading sheet requests."""

    STRONG = "strong"
    WEAK = "weak"


def films(
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of frontal chest radiographs.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run; a run that was stopped continues.")],
    labels: Annotated[
        Path | None, typer.Option(help="CSV with the columns file, patient and findings.", show_default="none")
    ] = None,
    model: EvaluatedModel,
    count: Annotated[
        int | None,
        typer.Option(help="Number of pairs, a multiple of 5; 0: only a reading sheet.", show_default="at most 400"),
    ] = None,
    peers_count: Annotated[
        int | None, typer.Option(help="Number of pairs for the rows that are not ours; 0: none.", show_default="all")
    ] = None,
    seed: options.OptionalSeed = None,
    reading_sheet: Annotated[
        Path | None, typer.Option(help="Empty folder for a blinded reading sheet.", show_default="none")
    ] = None,
    sheet_films: Annotated[
        int | None, typer.Option(help="With --reading-sheet: films edited for each finding.", show_default="8")
    ] = None,
    sheet_levels: Annotated[
        SheetLevels | None,
        typer.Option(
            help="With --reading-sheet: strong (the two strongest levels) or weak (those below moderate).",
            show_default="strong",
        ),
    ] = None,
    published_masks: options.PublishedMasks = None,
    scales: ScaleOptions,
    workers: Workers = None,
) -> None:
    """Compare peers and ours on pairs drawn on real films, with exact truth; write a sheet for blinded reading.

    The films must be of patients that no training has seen. Pairs, rows and measures are those of the simulated
    benchmark, with ours inside the true region, and with what is left after adding and removing. Films that lesions
    cannot be drawn on are left out and counted. The answer key of the reading sheet is written to the run's folder.

    Examples: x2x evaluate films film-folder --labels labels.csv -o runs/films

    x2x evaluate films film-folder --labels labels.csv -o runs/films --reading-sheet runs/sheet
    """
    from x2x_core.evaluation.benchmark.film_settings import FilmSettings, most_pairs, survey_folder
    from x2x_core.evaluation.benchmark.plan import EVALUATION_SEED
    from x2x_core.evaluation.benchmark.run import READING
    from x2x_core.evaluation.reading.plan import FILMS_PER_FINDING, ReadingSettings
    from x2x_core.evaluation.reading.run import KEY
    from x2x_core.evaluation.reading.sheet import check_sheet
    from x2x_core.evaluation.report.drawing import check_drawing

    _check_options(
        count, reading_sheet,
        of_pairs={"--peers-count": peers_count, "--published-masks": published_masks},
        of_sheet={"--sheet-films": sheet_films, "--sheet-levels": sheet_levels},
    )  # fmt: skip
    check_drawing()
    shared: dict[str, Any] = {
        "model": model.model,
        "films": str(folder),
        "labels": str(labels) if labels else None,
        "seed": EVALUATION_SEED if seed is None else seed,
        "call": scales.arguments(),
    }
    levels = (sheet_levels or SheetLevels.STRONG).value
    sheet_films = FILMS_PER_FINDING if sheet_films is None else sheet_films
    reading = ReadingSettings(**shared, levels=levels, films_per_finding=sheet_films)
    if reading_sheet is not None:
        check_sheet(reading_sheet, out / READING / KEY)
    workers = benchmark_workers(workers, model.device)
    with progress_bar("Films") as update:
        survey = survey_folder(folder, labels, out, workers, update)
    typer.echo(f"{len(survey.suitable)} films can be used")
    for reason, number in survey.left_out.items():
        typer.echo(f"  left out, {reason}: {number}")
    if count != 0:
        masks = str(published_masks) if published_masks else None
        pairs = most_pairs(survey) if count is None else count
        _run_benchmark(out, FilmSettings(**shared, count=pairs, peers_count=peers_count, published_masks=masks),
                       model.load, survey, workers)  # fmt: skip
    if reading_sheet is not None:
        _make_sheet(reading_sheet, out / READING, reading, model.load, survey)


def _check_options(
    count: int | None, sheet: Path | None, *, of_pairs: Mapping[str, Any], of_sheet: Mapping[str, Any]
) -> None:
    """Check that no option is given that another one makes useless.

    Raises:
        InputError: there is one, or neither pairs nor a sheet are asked for.
    """
    if count == 0 and sheet is None:
        raise InputError("`--count 0` requires `--reading-sheet`: without pairs there is nothing to do.")
    for name, value in of_pairs.items():
        if count == 0 and value is not None:
            raise InputError(f"`{name}` must be left out with `--count 0`: no pairs are edited.")
    for name, value in of_sheet.items():
        if sheet is None and value is not None:
            raise InputError(f"`{name}` requires `--reading-sheet`.")


def _run_benchmark(out: Path, settings: FilmSettings, load: Loader, survey: Survey, workers: int) -> None:
    """Run the benchmark, print ours, and write the report."""
    about = {**model_record(settings.model), "films": survey.as_dict()}
    _print(run_with_progress(out, settings, load, workers, about))
    print_report(out)


def _print(results: Results) -> None:
    """Print the measures of ours by finding, with their intervals."""
    from x2x_core.evaluation.report.text_table import finding_table
    from x2x_core.evaluation.report.view import View

    view = View(results)
    for row in view.compared_rows():
        headings, *lines = finding_table(view, row)
        print_table(headings, lines)
    seconds = ", ".join(f"{name} {value:.1f}" for name, value in results.about["median_seconds"].items())
    typer.echo(f"Median seconds to an edit: {seconds}.")
    typer.echo(results.about["notice"])


def _make_sheet(sheet: Path, made: Path, settings: ReadingSettings, load: Loader, survey: Survey) -> None:
    """Make the reading set, and name the sheet and its key."""
    from x2x_core.evaluation.reading.run import make_reading_set
    from x2x_core.evaluation.reading.sheet import NOTICE

    weights = model_record(settings.model)["weights_sha256"]
    with progress_bar("Reading sheet") as update:
        key = make_reading_set(survey.suitable, sheet, made, settings, load, weights, update)
    typer.echo(f"{sheet}: for the reader, begin with README.txt")
    typer.echo(f"{key}: answer key, which the reader must not see")
    typer.echo(NOTICE)
