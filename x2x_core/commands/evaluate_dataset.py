"""`x2x evaluate dataset`: edit a split of a dataset and measure the edits with networks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x2x_core.common.errors import InputError

from .evaluate_options import (
    GuidanceScale,
    ImageGuidanceScale,
    MaskThreshold,
    Steps,
    call_arguments,
)
from .evaluate_pairs import model_record
from .loading import choose_device, load_pipeline
from .options import Device, Model
from .progress import progress_bar
from .tables import print_table

if TYPE_CHECKING:
    import torch

    from x2x_core.evaluation.metrics.measure import Measure
    from x2x_core.evaluation.on_dataset.evidence import Scorers
    from x2x_core.evaluation.results import Metric, Results
    from x2x_core.scorers.scorer import ImageScorer

SHOWN = (
    "pathology_auroc", "race_accuracy", "race_auroc", "age_correlation", "cmig", "label_kl", "fid",
    "change_outside_mask", "editable_share", "changed_share", "ssim_inside", "psnr_inside", "ssim_outside",
    "psnr_outside", "flip_rate", "score_follows", "collateral_flips", "lung_dice", "attribute_correlation",
    "attribute_worst",
)  # fmt: skip


def evaluate_dataset(
    dataset: Annotated[Path, typer.Argument(help="Dataset in the pair layout.", metavar="DATASET")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for edits and record; a run that was stopped continues.")
    ],
    model: Model = "demo",
    split: Annotated[str, typer.Option(help="Split to edit.")] = "test",
    count: Annotated[int | None, typer.Option(help="Largest number of pairs. [default: all]")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the edits. [default: one that no training uses]")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="CSV of the images' findings, race and age. [default: none]")
    ] = None,
    findings_scorer: Annotated[
        str | None,
        typer.Option(
            help="bundled, torchxrayvision:NAME, or a TorchScript or ONNX file. [default: bundled on simulated data]"
        ),
    ] = None,
    race_scorer: Annotated[str | None, typer.Option(help="torchxrayvision:race, or a file. [default: none]")] = None,
    age_scorer: Annotated[str | None, typer.Option(help="torchxrayvision:age, or a file. [default: none]")] = None,
    attributes_scorer: Annotated[
        str | None, typer.Option(help="bundled, or a file. [default: bundled on simulated data]")
    ] = None,
    fid_features: Annotated[
        str | None,
        typer.Option(help="bundled, inception:FILE, or a TorchScript file. [default: bundled on simulated data]"),
    ] = None,
    segmenter: Annotated[
        str | None,
        typer.Option(help="torchxrayvision:pspnet (lungs, heart), or a file. [default: the lung finder alone]"),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Pairs edited at once.")] = 5,
    steps: Steps = None,
    guidance_scale: GuidanceScale = None,
    image_guidance_scale: ImageGuidanceScale = None,
    mask_threshold: MaskThreshold = None,
    device: Device = None,
) -> None:
    """Edit a split of a dataset and measure the edits, beside the unedited images and the real targets.

    The measures are the paper's and what the edits changed; docs/metrics.md defines them.

    Example: x2x evaluate dataset runs/dataset --split test -o runs/evaluation
    """
    for name, value in (("--count", count), ("--batch-size", batch_size)):
        if value is not None and value < 1:
            raise InputError(f"`{name}` must be at least 1, got {value}.")
    from x2x_core.evaluation.benchmark.plan import EVALUATION_SEED
    from x2x_core.evaluation.metrics.scoring import check_scoring
    from x2x_core.evaluation.on_dataset.edits import EditSettings, edit_dataset
    from x2x_core.evaluation.on_dataset.run import CSV_FILE, JSON_FILE, evaluate_edits
    from x2x_core.evaluation.on_dataset.truths import read_truths
    from x2x_core.pairs.layout import read_rows
    from x2x_core.simulation.layout import ATTRIBUTES_FILE

    check_scoring()
    seed = EVALUATION_SEED if seed is None else seed
    rows = read_rows(dataset, split)[:count]
    truths = read_truths(rows, dataset, labels)
    names = {
        "findings": findings_scorer, "race": race_scorer, "age": age_scorer, "attributes": attributes_scorer,
        "features": fid_features, "segmenter": segmenter,
    }  # fmt: skip
    networks = load_scorers(names, (dataset / ATTRIBUTES_FILE).is_file(), choose_device(device))
    pipeline = load_pipeline(model, None, device, "float32")
    recorded = model_record(model)
    decisive = {"dataset": str(dataset), "split": split, "model": model, "weights_sha256": recorded["weights_sha256"]}
    call = call_arguments(steps, guidance_scale, image_guidance_scale, mask_threshold)
    with progress_bar("Editing") as update:
        edit_dataset(pipeline, rows, out, EditSettings(seed, batch_size, decisive, call), update)
    command = " ".join(["x2x", *sys.argv[1:]])
    about = {
        **decisive, "command": command, "labels": str(labels) if labels else None, "settings": call,
        "versions": recorded["versions"],
    }  # fmt: skip
    with progress_bar("Scoring") as update:
        results = evaluate_edits(rows, out, truths, networks, seed=seed, about=about, progress=update)
    print_table(["", *(row.name for row in results.rows)], table_lines(results))
    for note in results.about["notes"]:
        typer.echo(note)
    for name in (JSON_FILE, CSV_FILE):
        typer.echo(str(out / name))


def load_scorers(names: Mapping[str, str | None], simulated: bool, device: torch.device | str = "cpu") -> Scorers:
    """Load the networks that take part.

    Args:
        names: of "findings", "race", "age", "attributes", "features" and "segmenter"; ``None``: not given.
        simulated: the dataset is simulated, so the bundled networks stand in for those that were not given.
        device: of the networks.

    Raises:
        InputError: a name that is not a network.
    """
    from x2x_core.evaluation.on_dataset.evidence import Scorers
    from x2x_core.scorers.bundled import BUNDLED
    from x2x_core.scorers.features import load_features
    from x2x_core.scorers.loading import load_scorer
    from x2x_core.scorers.scorer import PROBABILITY, VALUE
    from x2x_core.scorers.segmenters import load_segmenter

    given = {kind: name for kind, name in names.items() if name}
    if simulated:
        given = {"findings": BUNDLED, "attributes": BUNDLED, "features": BUNDLED, **given}

    def load(kind: str, scale: str) -> ImageScorer | None:
        return load_scorer(given[kind], scale, device) if kind in given else None

    findings = load("findings", PROBABILITY)
    values = tuple(scorer for scorer in (load("age", VALUE), load("attributes", VALUE)) if scorer)
    features = load_features(given["features"], device) if "features" in given else None
    segmenter = load_segmenter(given["segmenter"], device) if "segmenter" in given else None
    return Scorers(findings, load("race", PROBABILITY), values, features, segmenter)


def table_lines(results: Results) -> list[tuple[str, ...]]:
    """Return a line for each metric: its title with its unit, then each row's value with its interval."""
    from x2x_core.evaluation.metrics.catalogue import DICE_PREFIX, info

    lines = []
    for key in (*SHOWN, *(key for key in results.rows[0].metrics if key.startswith(DICE_PREFIX))):
        measure = info(key)
        lines.append((measure.heading, *(_cell(row.metrics[key], measure) for row in results.rows)))
    return lines


def _cell(metric: Metric, measure: Measure) -> str:
    value = measure.text(metric.value)
    return value if metric.low is None else f"{value} ({measure.text(metric.low)} to {measure.text(metric.high)})"
