"""`x2x train`: train or fine-tune a model from a configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from x2x_core.common.errors import InputError
from x2x_core.training.shipped_configs import shipped_config_names

from .loading import quiet_libraries
from .progress import progress_bar


def train(
    config: Annotated[str, typer.Option(help=f"A YAML file, or one of: {', '.join(shipped_config_names())}.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Dataset folder; given several times, the pairs are pooled.", show_default="the configuration's"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Run folder.", show_default="the configuration's")
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Initial model: a folder in diffusers layout or an original .ckpt.", show_default="the configuration's"
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="Folder of the CLIP tokenizer for a .ckpt, which lacks one.", show_default="the configuration's"
        ),
    ] = None,
    autoencoder: Annotated[
        Path | None, typer.Option(help="Folder with the trained VAE.", show_default="the configuration's")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps.", show_default="the configuration's")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Set any other field to a YAML value; repeatable."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue from the last checkpoint in the run folder.")] = True,
) -> None:
    """Train a model from a configuration.

    An interrupted run continues from its last checkpoint, with the same result as an uninterrupted one. To train on
    several devices, use `accelerate launch -m x2x_core.cli train ...`.

    Example: x2x train --config paper-v1 --data DATASET --init instruct-pix2pix --set lora_rank=16
    """
    quiet_libraries()
    from x2x_core.training.config_files import find_config, load_config
    from x2x_core.training.trainer import train as train_model

    paths = {"out": out, "init": init, "tokenizer": tokenizer, "autoencoder": autoencoder}
    overrides = _fields(set_ or []) | {name: str(value) for name, value in paths.items() if value is not None}
    if data:
        overrides["data"] = str(data[0]) if len(data) == 1 else [str(folder) for folder in data]
    settings = load_config(find_config(config), **overrides | ({} if steps is None else {"steps": steps}))
    if int(os.environ.get("RANK", 0)):  # only the first of several processes shows progress
        train_model(settings, resume=resume)
        return
    with progress_bar("Training") as update:
        folder = train_model(
            settings, resume=resume, progress=lambda done, total, means: update(done, total, _note(means))
        )
    typer.echo(str(folder))


def _fields(texts: list[str]) -> dict[str, Any]:
    """Parse the fields given with `--set`."""
    import yaml

    values = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise InputError(f"`--set` must be FIELD=VALUE, got {text!r}.")
        try:
            values[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"`--set` must give {name.strip()} a YAML value, got {value!r}.") from error
    return values


def _note(means: dict[str, float]) -> str:
    return f"loss {means['loss']:.4f}" if "loss" in means else ""
