"""`x2x bench NAME`: run other people's benchmarks with a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x2x_core.common.errors import InputError

from . import evaluate_options as options
from .app import App
from .evaluate_pairs import EvaluatedModel
from .evaluate_scorers import FidFeatures, FindingsScorer, Identity, ImageText, Radiomics
from .loading import choose_device
from .options import Device
from .progress import progress_bar
from .setting_options import ScaleOptions
from .tables import print_table

if TYPE_CHECKING:
    from x2x_core.evaluation.benches.cases import BenchCase
    from x2x_core.evaluation.results import Results

app = App(
    no_args_is_help=True,
    help="Run other people's benchmarks of image editing with a model. Give each the folder of your own copy: nothing "
    "is downloaded.",
)

Out = Annotated[
    Path, typer.Option("-o", "--out", help="Folder for edits and record; a run that was stopped continues.")
]
BenchSeed = Annotated[int, typer.Option(help="The n-th case is edited with seed + n.")]


@dataclass(frozen=True)
class CaseOptions:
    """Options of the benchmarks whose cases are edited: which cases, and how they are measured.

    Raises:
        InputError: no cases.
    """

    group: Annotated[
        list[str] | None, typer.Option(help="Group of cases; repeat it for several.", show_default="all groups")
    ] = None
    count: Annotated[int | None, typer.Option(help="Largest number of cases.", show_default="all")] = None
    seed: BenchSeed = 0
    image_text: ImageText = None

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise InputError(f"`--count` must be at least 1, got {self.count}.")


@app.command("medebench")
def medebench(
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help='Copy of MedEBench: the folder with "editing".')],
    out: Out,
    chosen: CaseOptions,
    model: EvaluatedModel,
    scales: ScaleOptions,
) -> None:
    """Edit the cases of MedEBench: context kept, likeness to the target, attention against the region of interest.

    Groups are organs. The judgements of a vision-language model are not part of it.

    Example: x2x bench medebench MedEBench --group Chest -o runs/medebench
    """
    from x2x_core.evaluation.benches.medebench import read_medebench

    _run("MedEBench", read_medebench(folder), out, chosen, model, scales)


@app.command("miedb")
def miedb(
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help='"dataBenchmark" of MieDB-100k.')],
    out: Out,
    chosen: CaseOptions,
    model: EvaluatedModel,
    scales: ScaleOptions,
) -> None:
    """Edit the cases of MieDB-100k: likeness to the target, the context, and for Perception the painted region.

    Groups are Perception, Modification and Transformation.

    Example: x2x bench miedb dataBenchmark --group Modification -o runs/miedb
    """
    from x2x_core.evaluation.benches.miedb import read_miedb

    _run("MieDB-100k", read_miedb(folder), out, chosen, model, scales)


@app.command("med-banana")
def med_banana(
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help='"NAME-edit" or "NAME-remove" of Med-Banana-50K.')],
    originals: Annotated[Path, typer.Option(help="Folder of the inputs, which are not part of it.")],
    out: Out,
    chosen: CaseOptions,
    model: EvaluatedModel,
    scales: ScaleOptions,
) -> None:
    """Edit the cases of Med-Banana-50K. Its targets are another model's edits, not truths: read them as a peer.

    Groups are diseases.

    Example: x2x bench med-banana Chest-XRay-edit --originals mimic -o runs/banana
    """
    from x2x_core.evaluation.benches.med_banana import failed_share, read_med_banana

    cases = read_med_banana(folder, originals)
    _run("Med-Banana-50K", cases, out, chosen, model, scales)
    refused = failed_share(folder)
    if refused is not None:
        typer.echo(f"Its own judge refused all edits of {refused:.1%} of the cases; those are left out.")


@app.command("axioms")
def axioms(
    *,
    dataset: Annotated[Path, typer.Argument(help="Dataset in the pair layout.", metavar="DATASET")],
    out: Annotated[Path, typer.Option("-o", "--out", help="JSON file for the record.")],
    split: Annotated[str, typer.Option(help="Split to edit.")] = "test",
    count: Annotated[int, typer.Option(help="Largest number of pairs.")] = 40,
    seed: BenchSeed = 0,
    findings_scorer: FindingsScorer = None,
    model: EvaluatedModel,
    scales: ScaleOptions,
    overwrite: options.Overwrite = False,
) -> None:
    """Measure composition, reversibility and effectiveness, restricted as usual and without restriction.

    Composition: what an empty instruction changes. Reversibility: what is left after adding and removing.
    Effectiveness: how often a classifier predicts what was asked for.

    Example: x2x bench axioms runs/dataset --split val -o axioms.json
    """
    from x2x_core.evaluation.benches.axioms import measure_axioms
    from x2x_core.evaluation.benchmark.pairs import TruePair
    from x2x_core.evaluation.on_dataset.edits import read_grey
    from x2x_core.evaluation.on_dataset.truths import read_truths
    from x2x_core.pairs.layout import read_rows

    from .evaluate_scorers import load_scorers
    from .outputs import fresh_file

    out = fresh_file(out, overwrite)
    rows = read_rows(dataset, split)[:count]
    truths = read_truths(rows, dataset)
    pairs = [
        TruePair(read_grey(row.past), read_grey(row.current), row.instruction, truth.group)
        for row, truth in zip(rows, truths)
    ]
    scorers = load_scorers({"findings": findings_scorer}, _is_simulated(dataset), choose_device(model.device))
    pipeline = model.load()
    about = {"dataset": str(dataset), "split": split, **model.record(), "call": scales.arguments()}
    with progress_bar("Editing") as update:
        results = measure_axioms(pipeline, pairs, seed, scorers.findings, scales.arguments(), about, update)
    results.write_json(out)
    _print(results)
    typer.echo(str(out))


@app.command("chexgenbench")
def chexgenbench(
    *,
    synthetic: Annotated[Path, typer.Argument(help="CSV of synthetic pictures.", metavar="SYNTHETIC_CSV")],
    real: Annotated[Path, typer.Argument(help="CSV of real pictures.", metavar="REAL_CSV")],
    synthetic_images: Annotated[Path, typer.Option(help="Folder of the synthetic pictures.")],
    real_images: Annotated[Path, typer.Option(help="Folder of the real pictures.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="JSON file for the record.")],
    fid_features: FidFeatures = None,
    image_text: ImageText = None,
    identity: Identity = None,
    radiomics: Radiomics = False,
    device: Device = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Compare two sets of pictures by CheXGenBench's measures; no model edits.

    A measure whose network is not named is undefined. `x2x evaluate dataset` has the same measures for edits.

    Example: x2x bench chexgenbench made.csv real.csv --synthetic-images made --real-images real \
--fid-features transformers:rad-dino -o sets.json
    """
    from x2x_core.evaluation.benches.sets import REAL, SYNTHETIC, SetNetworks, compare_sets, read_table

    from .evaluate_scorers import load_scorers
    from .outputs import fresh_file

    out = fresh_file(out, overwrite)
    tables = read_table(synthetic, synthetic_images, SYNTHETIC), read_table(real, real_images, REAL)
    names = {
        "features": fid_features, "image_text": image_text, "identity": identity,
        "radiomics": "radiomics" if radiomics else None,
    }  # fmt: skip
    loaded = load_scorers(names, simulated=False, device=choose_device(device))
    networks = SetNetworks(loaded.features, loaded.radiomics, loaded.image_text, loaded.identity)
    results = compare_sets(*tables, networks, {"scorers": loaded.names(), "synthetic": str(synthetic)})
    results.write_json(out)
    _print(results)
    typer.echo(str(out))


def _is_simulated(dataset: Path) -> bool:
    from x2x_core.simulation.layout import ATTRIBUTES_FILE

    return (dataset / ATTRIBUTES_FILE).is_file()


def _run(
    name: str,
    cases: list[BenchCase],
    out: Path,
    chosen: CaseOptions,
    model: EvaluatedModel,
    scales: ScaleOptions,
) -> None:
    """Edit and measure some of the cases of a benchmark, and print the measures."""
    from x2x_core.evaluation.benches.cases import check_files, of_groups
    from x2x_core.evaluation.benches.run import RECORD, TABLE, BenchSettings, run_bench
    from x2x_core.evaluation.metrics.scoring import check_scoring
    from x2x_core.scorers.image_text import DualEncoder

    check_scoring()
    cases = check_files(of_groups(cases, chosen.group or [])[: chosen.count])
    device = choose_device(model.device)
    fit = None if chosen.image_text is None else DualEncoder.load(chosen.image_text, device)
    pipeline = model.load()
    about: dict[str, Any] = model.record()
    about.pop("versions")
    with progress_bar("Editing") as update:
        results = run_bench(
            pipeline, cases, out, BenchSettings(name, chosen.seed, scales.arguments(), about), fit, update
        )
    _print(results)
    for reason in dict.fromkeys(results.about["failures"].values()):
        typer.echo(f"Not edited: {reason}")
    for file in (RECORD, TABLE):
        typer.echo(str(out / file))


def _print(results: Results) -> None:
    """Print a line for each measure, and how many cases there are."""
    from x2x_core.evaluation.report.text_table import text_table
    from x2x_core.evaluation.report.view import View

    headings, *lines = text_table(View(results))
    print_table(headings, lines, bold=[index for index, line in enumerate(lines) if not any(line[1:])])
    typer.echo(f"{results.about['size']}.")
