"""`x2x train`: train or fine-tune a model as a configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from x2x_core.commands.shared import progress_bar, quiet_libraries


def train(
    config: Annotated[
        str, typer.Option(help="A YAML file, or a committed one: demo-autoencoder, demo, demo-continued, instructpix2pix, lungs, scorers.")
    ],
    data: Annotated[Optional[Path], typer.Option(help="Dataset folder. [default: the configuration's]")] = None,
    out: Annotated[Optional[Path], typer.Option("-o", "--out", help="Run folder. [default: the configuration's]")] = None,
    init: Annotated[Optional[Path], typer.Option(help="Model folder to start from. [default: the configuration's]")] = None,
    autoencoder: Annotated[
        Optional[Path], typer.Option(help="Folder with the trained vae. [default: the configuration's]")
    ] = None,
    steps: Annotated[Optional[int], typer.Option(help="Optimiser steps. [default: the configuration's]")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the run folder.")] = True,
) -> None:
    """Train as a configuration says; interrupted, it goes on from its last checkpoint as if it had not been.

    Under `accelerate launch -m x2x_core.cli train ...` it runs on several devices.

    Example: x2x train --config demo --data runs/simulated
    """
    quiet_libraries()
    from x2x_core.training.config import find_config, load_config
    from x2x_core.training.trainer import train as run

    overrides = {"data": data, "out": out, "init": init, "autoencoder": autoencoder}
    overrides = {name: None if value is None else str(value) for name, value in overrides.items()}
    settings = load_config(find_config(config), **overrides, steps=steps)
    with progress_bar("Training") as update:
        folder = run(settings, resume=resume, progress=lambda done, total, means: update(done, total, _note(means)))
    typer.echo(str(folder))


def _note(means: dict[str, float]) -> str:
    return f"loss {means['loss']:.4f}" if "loss" in means else ""
