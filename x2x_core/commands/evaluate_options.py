"""Options that the commands of `x2x evaluate` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Ct = Annotated[str, typer.Option(help='CT to simulate from: DICOM folder, .npz, or "phantom".')]
OptionalCt = Annotated[
    str | None, typer.Option(help='CT to simulate from: DICOM folder, .npz, or "phantom".', show_default="phantom")
]
Data = Annotated[Path | None, typer.Option(help="Folder of simulated pairs, instead of --ct.", show_default="none")]
DataSplit = Annotated[str | None, typer.Option(help="Split of --data.", show_default="val")]
PairCount = Annotated[int, typer.Option(help="Largest number of pairs.")]
OptionalSeed = Annotated[
    int | None, typer.Option(help="Seed of the pairs and the edits.", show_default="one that no training uses")
]
EditSeed = Annotated[int | None, typer.Option(help="Seed of the edits.", show_default="one that no training uses")]
JsonFile = Annotated[Path | None, typer.Option("-o", "--out", help="JSON file for all scores.", show_default="none")]
PublishedMasks = Annotated[
    Path | None, typer.Option(help="Folder of published masks.", show_default="hard masks of the atlas")
]
Steps = Annotated[int | None, typer.Option(help="Denoising steps.", show_default="the model's")]
GuidanceScale = Annotated[float | None, typer.Option(help="Scale of the text guidance.", show_default="the model's")]
ImageGuidanceScale = Annotated[
    float | None, typer.Option(help="Scale of the image guidance.", show_default="the model's")
]
MaskThreshold = Annotated[float | None, typer.Option(help="Threshold of our mask.", show_default="the model's")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]


def call_arguments(
    steps: int | None, guidance_scale: float | None, image_guidance_scale: float | None, mask_threshold: float | None
) -> dict[str, Any]:
    """Return the arguments of the pipeline's call that were given."""
    arguments = {
        "num_inference_steps": steps,
        "guidance_scale": guidance_scale,
        "image_guidance_scale": image_guidance_scale,
        "mask_threshold": mask_threshold,
    }
    return {name: value for name, value in arguments.items() if value is not None}
