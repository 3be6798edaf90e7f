"""`x2x evaluate`: how well a model edits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from x2x_core.common.errors import InputError

from . import benchmark as benchmark_command
from .loading import load_pipeline, model_folder
from .outputs import fresh_file, fresh_png, save_picture
from .progress import progress_bar

PAIRS = 200  # to evaluate, unless told
WIDE = 200  # letters to a line of a table that goes to a file


def evaluate(
    dataset: Annotated[
        Path | None, typer.Argument(help="Dataset in the published layout, to edit a split of. [default: none]")
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Against the exact ground truth of simulated pairs.")
    ] = False,
    model: Annotated[
        str, typer.Option(help='"demo", a folder in diffusers layout, or a Hugging Face repository.')
    ] = "demo",
    ct: Annotated[str, typer.Option(help='CT to simulate from: DICOM folder, .npz, or "phantom".')] = "phantom",
    data: Annotated[
        Path | None, typer.Option(help="Simulated dataset to read pairs from, instead of --ct. [default: none]")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Of the dataset's pairs. [default: test; of --data: val]")] = None,
    count: Annotated[
        int | None,
        typer.Option(help="Pairs, at most. [default: all of DATASET; 200 simulated ones; 500 of the benchmark]"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the pairs and the edits. [default: one no training uses]")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="JSON file for every score; of DATASET and --benchmark: folder for the edits and the record. [default: none]",
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="With DATASET: CSV of its images' findings, race, age. [default: none]")
    ] = None,
    findings_scorer: Annotated[
        str | None,
        typer.Option(
            help="With DATASET: bundled, torchxrayvision:NAME, or a TorchScript or ONNX file. [default: bundled on simulated data]"
        ),
    ] = None,
    race_scorer: Annotated[
        str | None, typer.Option(help="With DATASET: torchxrayvision:race, or a file. [default: none]")
    ] = None,
    age_scorer: Annotated[
        str | None, typer.Option(help="With DATASET: torchxrayvision:age, or a file. [default: none]")
    ] = None,
    attributes_scorer: Annotated[
        str | None, typer.Option(help="With DATASET: bundled, or a file. [default: bundled on simulated data]")
    ] = None,
    fid_features: Annotated[
        str | None,
        typer.Option(
            help="With DATASET: bundled, inception:FILE, or a TorchScript file. [default: bundled on simulated data]"
        ),
    ] = None,
    segmenter: Annotated[
        str | None,
        typer.Option(
            help="With DATASET: torchxrayvision:pspnet (lungs, heart), or a file. [default: the lung finder alone]"
        ),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="With DATASET: pairs edited at once.")] = None,
    benchmark: Annotated[
        bool,
        typer.Option("--benchmark", help="Peers and ours on planned pairs, with a report in -o; goes on where it was."),
    ] = False,
    peers_count: Annotated[
        int | None, typer.Option(help="With --benchmark: pairs for the rows that are not ours. [default: all]")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="With --benchmark: processes. [default: one a core]")] = None,
    ablation: Annotated[
        bool, typer.Option("--ablation", help="Compare ways to restrict the edit, on the same pairs.")
    ] = False,
    parts: Annotated[
        bool, typer.Option("--parts", help="With --ablation: also ours with one part taken away.")
    ] = False,
    published_masks: Annotated[
        Path | None,
        typer.Option(help="With --ablation: folder of published masks. [default: the atlas's, cut hard]"),
    ] = None,
    published_settings: Annotated[
        bool,
        typer.Option("--published-settings", help="With --ablation: also published RSE at its own steps and scales."),
    ] = False,
    figure: Annotated[Path | None, typer.Option(help="With --ablation: PNG of all measures. [default: none]")] = None,
    gallery: Annotated[
        Path | None, typer.Option(help="With --ablation: PNG of the best, median and worst pair. [default: none]")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of denoising. [default: the model's]")] = None,
    guidance_scale: Annotated[float | None, typer.Option(help="[default: the model's]")] = None,
    image_guidance_scale: Annotated[float | None, typer.Option(help="[default: the model's]")] = None,
    mask_threshold: Annotated[float | None, typer.Option(help="Of ours. [default: the model's]")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ... [default: the best there is]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files if they are there.")] = False,
) -> None:
    """Edit simulated pairs that no training has seen and compare with the truth.

    Prints, for all pairs, each operation and each finding, how often the change lies in the true region, has the right
    direction, and brings the image closer to the truth, and how well the guidance map finds the exact region. With
    --ablation: what restricts the edit best, no restriction, relevance only, pseudomask only, published RSE, or ours.
    With --benchmark: all of these, DiffEdit's mask, the unedited image and the real target on 500 planned pairs that
    cover every finding, operation, level, side and zone, with a report to read.

    With DATASET: edits a split of it, resumably, and measures the edits by the paper's metrics and by what they changed,
    beside the unedited images and the real targets; see docs/metrics.md.

    Example: x2x evaluate --simulated --ct ct-folder --count 200 -o scores.json
    """
    given = {
        "num_inference_steps": steps,
        "guidance_scale": guidance_scale,
        "image_guidance_scale": image_guidance_scale,
    }
    call = {name: value for name, value in {**given, "mask_threshold": mask_threshold}.items() if value is not None}
    if not benchmark:
        _check_absent({"--peers-count": peers_count, "--workers": workers}, "`--benchmark`: add it")
    scorers = {
        "findings": findings_scorer, "race": race_scorer, "age": age_scorer, "attributes": attributes_scorer,
        "features": fid_features, "segmenter": segmenter,
    }  # fmt: skip
    if dataset is not None:
        _check_alone(simulated or benchmark, ablation, count, batch_size)
        from x2x_core.evaluation.benchmark.simulated import BATCH_SIZE

        from .evaluate_dataset import evaluate_dataset

        return evaluate_dataset(
            dataset, out, model=model, split=split or "test", count=count, seed=seed, batch_size=batch_size or BATCH_SIZE,
            device=device, labels=labels, scorers=scorers, call=call,
        )  # fmt: skip
    if not simulated:
        raise InputError("`DATASET` or `--simulated` must be given. Name a dataset's folder, or add --simulated.")
    _check_absent({
        "--labels": labels, "--batch-size": batch_size, "--findings-scorer": findings_scorer,
        "--race-scorer": race_scorer, "--age-scorer": age_scorer, "--attributes-scorer": attributes_scorer,
        "--fid-features": fid_features, "--segmenter": segmenter,
    }, "DATASET: name a dataset's folder")  # fmt: skip
    wanted = {
        "--parts": parts,
        "--published-masks": published_masks,
        "--published-settings": published_settings,
        "--figure": figure,
        "--gallery": gallery,
    }
    if benchmark:
        _check_benchmark(out, {"--ablation": ablation, **wanted, "--data": data, "--split": split})
        settings = {"model": model, "ct": ct, "count": count, "peers_count": peers_count, "seed": seed, "call": call}
        settings["published_masks"] = str(published_masks) if published_masks else None
        return benchmark_command.run({k: v for k, v in settings.items() if v is not None}, out, device, workers)
    split, count = split or "val", PAIRS if count is None else count
    _check(ablation, wanted, count)
    out = out and fresh_file(out, overwrite)
    figure, gallery = (path and fresh_png(path, overwrite) for path in (figure, gallery))
    pipeline = load_pipeline(model, None, device, "float32")
    pairs = _pairs(ct, data, split, count, seed)
    if ablation:
        report = _compare(pipeline, pairs, call, parts, published_masks, published_settings, keep=gallery is not None)
    else:
        report = _evaluate(pipeline, pairs, call)
    _print(report.table(), report.notes() if ablation else [])
    if figure is not None:
        _draw(figure, "measures", report)
    if gallery is not None:
        _draw(gallery, "gallery", report)
    if out is not None:
        _record(out, report, model)


def _check_benchmark(out: Path | None, others: dict[str, Any]) -> None:
    """Refuse what the benchmark has no use for."""
    if out is None:
        raise InputError("`--out` must name a folder for the benchmark, got none. Add -o FOLDER.")
    for name, value in others.items():
        if value and name != "--published-masks":
            raise InputError(f"`{name}` must be left out with `--benchmark`: it has rows and pairs of its own.")


def _check_alone(simulated: bool, ablation: bool, count: int | None, batch_size: int | None) -> None:
    """Refuse what does not go with a dataset."""
    if simulated or ablation:
        raise InputError(
            "`DATASET` must be left out with `--simulated` and `--ablation`: give a simulated one as --data."
        )
    for name, value in (("--count", count), ("--batch-size", batch_size)):
        if value is not None and value < 1:
            raise InputError(f"`{name}` must be at least 1, got {value}.")


def _check_absent(options: dict[str, Any], remedy: str) -> None:
    """Refuse options that go with something else only."""
    for name, value in options.items():
        if value is not None:
            raise InputError(f"`{name}` must go with {remedy}, or leave {name} out.")


def _check(ablation: bool, wanted: dict[str, Any], count: int) -> None:
    """Refuse what can't be done before the long run."""
    if count < 1:
        raise InputError(f"`--count` must be at least 1, got {count}.")
    if not ablation:
        for name, value in wanted.items():
            if value:
                raise InputError(f"`{name}` must go with `--ablation`: add it, or leave {name} out.")
        return
    from x2x_core.evaluation.metrics.fidelity import check_scoring
    from x2x_core.evaluation.report.comparison_figures import check_drawing

    check_scoring()
    if wanted["--figure"] or wanted["--gallery"]:
        check_drawing()


def _pairs(ct: str, data: Path | None, split: str, count: int, seed: int | None) -> dict[str, Any]:
    """The pairs, as arguments of `evaluate_pairs` and `run_ablation`."""
    from x2x_core.evaluation.benchmark.simulated import EVALUATION_SEED, SIZE, read_pairs, simulate_pairs
    from x2x_core.pairs.layout import read_rows

    seed = EVALUATION_SEED if seed is None else seed
    if data is None:
        settings = {"ct": ct, "size": SIZE}
        return {"pairs": simulate_pairs(ct, count, seed=seed), "count": count, "seed": seed, "settings": settings}
    count = min(count, len(read_rows(data, split)))
    settings = {"data": str(data), "split": split, "size": SIZE}
    return {"pairs": read_pairs(data, count, split=split), "count": count, "seed": seed, "settings": settings}


def _evaluate(pipeline, pairs: dict[str, Any], call: dict[str, Any]):
    from x2x_core.evaluation.benchmark.simulated import evaluate_pairs

    with progress_bar("Evaluating") as update:
        return evaluate_pairs(pipeline, **pairs, progress=update, **call)


def _compare(pipeline, pairs: dict[str, Any], call, parts: bool, masks: Path | None, published: bool, keep: bool):
    from x2x_core import PseudomaskAtlas
    from x2x_core.evaluation.benchmark.ablation import run_ablation
    from x2x_core.evaluation.benchmark.ablation_rows import parts_of_ours, settings_note, standard_rows

    folder = PseudomaskAtlas.load(masks) if masks else None
    rows = standard_rows(pipeline, call, published_masks=folder, published_settings=published)
    if parts:
        rows += parts_of_ours(pipeline, call)
    note = settings_note(pipeline, call)
    with progress_bar("Editing") as update:
        return run_ablation(pipeline, **pairs, rows=rows, progress=update, note=note, keep_pictures=keep)


def _print(lines: list[tuple[str, ...]], notes: list[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Column, Table

    (first, *others), *rows = lines
    table = Table(Column(first, no_wrap=True), *others, box=SIMPLE_HEAD)
    for row in rows:
        title = not any(row[1:])  # of a group of rows
        table.add_row(*row, style="bold" if title else None)
    console = Console()
    (console if console.is_terminal else Console(width=WIDE)).print(table)
    for line in notes:
        typer.echo(line)


def _draw(path: Path, kind: str, report) -> None:
    from x2x_core.evaluation.report.comparison_figures import DOTS_PER_INCH, as_picture, draw_ablation, draw_gallery

    draw = {"measures": draw_ablation, "gallery": draw_gallery}[kind]
    parameters = {"figure": kind, **report.settings, "note": report.note}
    save_picture(path, as_picture(draw(report)), parameters, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    typer.echo(str(path))


def _record(out: Path, report, model: str) -> None:
    from x2x_core.imaging.provenance import sha256_weights, versions

    folder = model_folder(model)
    record = {
        **report.as_dict(),
        "model": model,
        "weights_sha256": sha256_weights(folder) if folder else None,
        "versions": versions(),
    }
    out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    typer.echo(str(out))
