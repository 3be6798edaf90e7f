"""`x2x evaluate dataset`: edit a split of a dataset and measure the edits with networks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x2x_core.common.errors import InputError

from . import evaluate_options as options
from .evaluate_pairs import EvaluatedModel
from .evaluate_scorers import (
    AgeScorer,
    AttributesScorer,
    FidFeatures,
    FindingsScorer,
    Identity,
    ImageText,
    RaceScorer,
    Radiomics,
    Segmenter,
    load_scorers,
)
from .loading import choose_device
from .progress import progress_bar
from .setting_options import ScaleOptions
from .tables import print_table

if TYPE_CHECKING:
    from x2x_core.evaluation.metrics.measure import Measure
    from x2x_core.evaluation.results import Metric, Results

_NOT_PRINTED = ("cmig_race_auroc",)  # of the metrics; the record and the report have them


@dataclass(frozen=True)
class _DatasetRun:
    """Options that name what is evaluated, and where the results go."""

    dataset: Annotated[Path, typer.Argument(help="Dataset in the pair layout.", metavar="DATASET")]
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for edits and record; a run that was stopped continues.")
    ]
    split: Annotated[str, typer.Option(help="Split to edit.")] = "test"
    count: Annotated[int | None, typer.Option(help="Largest number of pairs.", show_default="all")] = None
    seed: options.EditSeed = None
    labels: Annotated[
        Path | None, typer.Option(help="CSV of the images' findings, race and age.", show_default="none")
    ] = None
    batch_size: Annotated[int, typer.Option(help="Pairs edited at once.")] = 5

    def __post_init__(self) -> None:
        for name, value in (("--count", self.count), ("--batch-size", self.batch_size)):
            if value is not None and value < 1:
                raise InputError(f"`{name}` must be at least 1, got {value}.")

    def evaluate(self, model: EvaluatedModel, scorers: Mapping[str, str | None], call: Mapping[str, Any]) -> Results:
        """Edit and score the split, and write the record.

        Args:
            model: the model.
            scorers: names of the networks, see `load_scorers`.
            call: arguments of the pipeline's call.
        """
        from x2x_core.evaluation.benchmark.plan import EVALUATION_SEED
        from x2x_core.evaluation.metrics.scoring import check_scoring
        from x2x_core.evaluation.on_dataset.edits import DatasetEditSettings, edit_dataset
        from x2x_core.evaluation.on_dataset.run import evaluate_edits
        from x2x_core.evaluation.on_dataset.truths import read_truths
        from x2x_core.pairs.layout import read_rows
        from x2x_core.simulation.layout import ATTRIBUTES_FILE

        check_scoring()
        seed = EVALUATION_SEED if self.seed is None else self.seed
        rows = read_rows(self.dataset, self.split)[: self.count]
        truths = read_truths(rows, self.dataset, self.labels)
        networks = load_scorers(scorers, (self.dataset / ATTRIBUTES_FILE).is_file(), choose_device(model.device))
        pipeline = model.load()
        recorded = model.record()
        versions = recorded.pop("versions")
        decisive = {"dataset": str(self.dataset), "split": self.split, **recorded}
        with progress_bar("Editing") as update:
            edit_dataset(pipeline, rows, self.out, DatasetEditSettings(seed, self.batch_size, decisive, call), update)
        command = " ".join(["x2x", *sys.argv[1:]])
        labels = str(self.labels) if self.labels else None
        about = {**decisive, "command": command, "labels": labels, "settings": call, "versions": versions}
        with progress_bar("Scoring") as update:
            return evaluate_edits(rows, self.out, truths, networks, seed=seed, about=about, progress=update)


def evaluate_dataset(
    *,
    run: _DatasetRun,
    model: EvaluatedModel,
    findings_scorer: FindingsScorer = None,
    race_scorer: RaceScorer = None,
    age_scorer: AgeScorer = None,
    attributes_scorer: AttributesScorer = None,
    fid_features: FidFeatures = None,
    segmenter: Segmenter = None,
    identity: Identity = None,
    image_text: ImageText = None,
    radiomics: Radiomics = False,
    scales: ScaleOptions,
) -> None:
    """Edit a split of a dataset and measure the edits, beside the unedited images and the real targets.

    The measures are the paper's and what the edits changed; docs/metrics.md defines them.

    Example: x2x evaluate dataset runs/dataset --split test -o runs/evaluation
    """
    from x2x_core.evaluation.on_dataset.run import CSV_FILE, JSON_FILE

    scorers = {
        "findings": findings_scorer, "race": race_scorer, "age": age_scorer, "attributes": attributes_scorer,
        "features": fid_features, "segmenter": segmenter, "identity": identity, "image_text": image_text,
        "radiomics": "radiomics" if radiomics else None,
    }  # fmt: skip
    results = run.evaluate(model, scorers, scales.arguments())
    print_table(["", *(row.name for row in results.rows)], table_lines(results))
    for note in results.about["notes"]:
        typer.echo(note)
    for name in (JSON_FILE, CSV_FILE):
        typer.echo(str(run.out / name))


def table_lines(results: Results) -> list[tuple[str, ...]]:
    """Return a line for each metric: its title with its unit, then each row's value with its interval."""
    from x2x_core.evaluation.metrics.catalogue import DICE_PREFIX, METRICS, info

    lines = []
    printed = [key for key in METRICS if key not in _NOT_PRINTED]
    for key in (*printed, *(key for key in results.rows[0].metrics if key.startswith(DICE_PREFIX))):
        measure = info(key)
        lines.append((measure.heading, *(_cell(row.metrics[key], measure) for row in results.rows)))
    return lines


def _cell(metric: Metric, measure: Measure) -> str:
    value = measure.text(metric.value)
    return value if metric.low is None else f"{value} ({measure.text(metric.low)} to {measure.text(metric.high)})"
