"""`x2x evaluate DATASET`: edit a split of a dataset and measure the edits by the networks that take part."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from x2x_core.common.errors import InputError

from .loading import choose_device, load_pipeline, model_folder
from .progress import progress_bar

SHOWN = (
    "pathology_auroc", "race_accuracy", "race_auroc", "age_correlation", "cmig", "label_kl", "fid", "change_outside_mask",
    "editable_share", "changed_share", "ssim_inside", "psnr_inside", "ssim_outside", "psnr_outside", "flip_rate",
    "score_follows", "collateral_flips", "lung_dice", "attribute_correlation", "attribute_worst",
)  # fmt: skip


def evaluate_dataset(
    dataset: Path,
    out: Path | None,
    *,
    model: str,
    split: str,
    count: int | None,
    seed: int | None,
    batch_size: int,
    device: str | None,
    labels: Path | None,
    scorers: dict[str, str | None],
    call: dict[str, Any],
) -> None:
    """Edit, score, write the record and print the table.

    Args:
        dataset: folder in the published layout.
        out: folder of the run.
        model, split, count, seed, batch_size, device, labels: see `x2x evaluate`.
        scorers: what "findings", "race", "age", "attributes", "features" and "segmenter" are, ``None`` where not given.
        call: arguments of the pipeline's call.
    """
    from x2x_core.evaluation.benchmark.simulated import EVALUATION_SEED
    from x2x_core.evaluation.metrics.fidelity import check_scoring
    from x2x_core.evaluation.on_dataset.dataset import edit_dataset
    from x2x_core.evaluation.on_dataset.labels import read_truths
    from x2x_core.evaluation.on_dataset.run import CSV_FILE, JSON_FILE, evaluate_edits
    from x2x_core.pairs.layout import read_rows

    if out is None:
        raise InputError("`--out` must name the folder for the edits and the record. Add -o FOLDER.")
    check_scoring()
    seed = EVALUATION_SEED if seed is None else seed
    rows = read_rows(dataset, split)[:count]
    truths = read_truths(rows, dataset, labels)
    networks = load_scorers(scorers, _is_simulated(dataset), choose_device(device))
    pipeline = load_pipeline(model, None, device, "float32")
    decides = {"dataset": str(dataset), "split": split, "model": model, "weights_sha256": _weights(model)}
    with progress_bar("Editing") as update:
        edit_dataset(pipeline, rows, out, seed=seed, batch_size=batch_size, about=decides, progress=update, **call)
    about = {**decides, **_about(labels, call)}
    with progress_bar("Scoring") as update:
        results = evaluate_edits(rows, out, truths, networks, seed=seed, about=about, progress=update)
    _print(results)
    for name in (JSON_FILE, CSV_FILE):
        typer.echo(str(out / name))


def load_scorers(specs: dict[str, str | None], simulated: bool, device: str = "cpu"):
    """The networks that take part: those that were named, and on a simulated dataset the bundled ones for the rest."""
    from x2x_core.evaluation.on_dataset.evidence import Scorers
    from x2x_core.scorers.adapters import load_scorer
    from x2x_core.scorers.features import load_features
    from x2x_core.scorers.network_files import BUNDLED
    from x2x_core.scorers.scorer import PROBABILITY, VALUE
    from x2x_core.scorers.segmenters import load_segmenter

    if simulated:
        specs = {**specs, **{name: specs.get(name) or BUNDLED for name in ("findings", "attributes", "features")}}
    load = lambda name, kind: load_scorer(specs[name], kind, device) if specs.get(name) else None  # noqa: E731
    values = tuple(one for one in (load("age", VALUE), load("attributes", VALUE)) if one)
    features = load_features(specs["features"], device) if specs.get("features") else None
    segmenter = load_segmenter(specs["segmenter"], device) if specs.get("segmenter") else None
    return Scorers(load("findings", PROBABILITY), load("race", PROBABILITY), values, features, segmenter)


def _is_simulated(dataset: Path) -> bool:
    from x2x_core.simulation.attributes import ATTRIBUTES_FILE

    return (dataset / ATTRIBUTES_FILE).is_file()


def _weights(model: str) -> str | None:
    from x2x_core.imaging.provenance import sha256_weights

    folder = model_folder(model)
    return sha256_weights(folder) if folder else None


def _about(labels: Path | None, call: dict[str, Any]) -> dict[str, Any]:
    from x2x_core.imaging.provenance import versions

    command = " ".join(["x2x", *sys.argv[1:]])
    return {"command": command, "labels": str(labels) if labels else None, "settings": call, "versions": versions()}


def _print(results) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column("", no_wrap=True), *(row.name for row in results.rows), box=SIMPLE_HEAD)
    for line in table_lines(results):
        table.add_row(*line)
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
    for note in results.about["notes"]:
        typer.echo(note)


def table_lines(results) -> list[tuple[str, ...]]:
    """A line a metric: its title with its unit, then each row's value with its interval."""
    from x2x_core.evaluation.metrics.catalogue import DICE_PREFIX, info

    lines = []
    for key in (*SHOWN, *(key for key in results.rows[0].metrics if key.startswith(DICE_PREFIX))):
        about = info(key)
        cells = [_cell(row.metrics[key], about) for row in results.rows]
        lines.append((f"{about.title} (%)" if about.percent else about.title, *cells))
    return lines


def _cell(metric, about) -> str:
    if metric.value is None:
        return "-"
    value, low, high = (
        None if x is None else f"{(100 if about.percent else 1) * x:.{about.digits}f}"
        for x in (metric.value, metric.low, metric.high)
    )
    return value if low is None else f"{value} ({low} to {high})"
