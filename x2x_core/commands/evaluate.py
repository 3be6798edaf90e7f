"""`x2x evaluate`: how well a model edits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Optional

import typer

from x2x_core.commands.shared import fresh_file, load_pipeline, model_folder, progress_bar


def evaluate(
    simulated: Annotated[bool, typer.Option("--simulated", help="Against the exact ground truth of simulated pairs.")] = False,
    model: Annotated[str, typer.Option(help='"demo", a folder in diffusers layout, or a Hugging Face repository.')] = "demo",
    ct: Annotated[str, typer.Option(help='CT to simulate from: DICOM folder, .npz, or "phantom".')] = "phantom",
    count: Annotated[int, typer.Option(help="Pairs.")] = 200,
    seed: Annotated[Optional[int], typer.Option(help="Of the pairs and the edits. [default: one no training uses]")] = None,
    out: Annotated[Optional[Path], typer.Option("-o", "--out", help="JSON file for every score. [default: none]")] = None,
    steps: Annotated[Optional[int], typer.Option(help="Steps of denoising. [default: the model's]")] = None,
    guidance_scale: Annotated[Optional[float], typer.Option(help="[default: the model's]")] = None,
    image_guidance_scale: Annotated[Optional[float], typer.Option(help="[default: the model's]")] = None,
    mask_threshold: Annotated[Optional[float], typer.Option(help="[default: the model's]")] = None,
    device: Annotated[Optional[str], typer.Option(help="cpu, cuda, ... [default: the best there is]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the JSON file if it is there.")] = False,
) -> None:
    """Edit simulated pairs that no training has seen and compare with the truth.

    Prints, for all pairs, each operation and each finding, how often the change lies in the true region, has the right
    direction, and brings the image closer to the truth.

    Example: x2x evaluate --simulated --ct ct-folder --count 200 -o scores.json
    """
    from rich.console import Console
    from rich.table import Table

    from x2x_core.evaluation.simulated import EVALUATION_SEED, evaluate_simulated
    from x2x_core.imaging.provenance import sha256_weights, versions

    if not simulated:
        raise ValueError("`--simulated` must be given: it is the one evaluation there is. Add --simulated.")
    if out is not None:
        out = fresh_file(out, overwrite)
    pipeline = load_pipeline(model, None, device, "float32")
    call = {
        "num_inference_steps": steps,
        "guidance_scale": guidance_scale,
        "image_guidance_scale": image_guidance_scale,
        "mask_threshold": mask_threshold,
    }
    call = {name: value for name, value in call.items() if value is not None}
    with progress_bar("Evaluating") as update:
        seed = EVALUATION_SEED if seed is None else seed
        report = evaluate_simulated(pipeline, ct, count=count, seed=seed, progress=update, **call)
    heading, *rows = report.table()
    table = Table(*heading)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if out is not None:
        folder = model_folder(model)
        record = {
            **report.as_dict(),
            "model": model,
            "weights_sha256": sha256_weights(folder) if folder else None,
            "versions": versions(),
        }
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        typer.echo(str(out))
