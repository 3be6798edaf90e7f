"""`x2x convert`: checkpoints from the original single file to the diffusers layout, and back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from x2x_core.common.errors import InputError, OutputExistsError

from .loading import DTYPES, quiet_libraries

_FEW = 20


def convert(
    source: Annotated[Path, typer.Argument(help="A single file (.ckpt, .safetensors) or a diffusers folder.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="A name ending in .safetensors for a single file, else a folder.")
    ],
    weights: Annotated[
        str, typer.Option(help="Of a single file's U-Net: auto (EMA weights where it has them), ema or trained.")
    ] = "auto",
    dtype: Annotated[str | None, typer.Option(help=f"{', '.join(DTYPES)}. [default: as they are]")] = None,
    like: Annotated[
        Path | None, typer.Option(help="Diffusers folder whose configurations and tokenizer a single file has.")
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="CLIP tokenizer for a file without one: a folder, or a Hugging Face repository."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the checkpoint that is there.")] = False,
    every: Annotated[bool, typer.Option("--list-all", help="List all that is left out, however many.")] = False,
) -> None:
    """Convert a checkpoint of InstructPix2Pix or InstructX2X, weights bit for bit; ComfyUI reads the single files.

    Each weight is checked by name and shape; what isn't taken over is listed. Pickles (.ckpt) that hold more than
    weights are refused. A diffusers folder needs CLIP's tokenizer, which original single files lack.

    Example: x2x convert instruct-pix2pix-00-22000.ckpt -o instruct-pix2pix --tokenizer CLIP_TOKENIZER_FOLDER
    """
    quiet_libraries()
    from x2x_core.conversion.convert import convert as run

    made = run(source, _free(out, overwrite), weights=weights, dtype=_dtype(dtype), like=like, tokenizer=tokenizer)
    for part, values in made.weights.items():
        types = ", ".join(sorted({str(value.dtype).removeprefix("torch.") for value in values.values()}))
        typer.echo(
            f"{part}: {len(values)} weights, {sum(value.numel() for value in values.values()):,} numbers, {types}"
        )
    for reason, count in Counter(made.left_out.values()).items():
        names = [name for name, why in made.left_out.items() if why == reason]
        shown = names if every or count <= _FEW else [*names[:3], f"and {count - 3} more (--list-all)"]
        typer.echo(f"left out, {count} ({reason}): {', '.join(shown)}", err=True)
    if out.suffix == ".safetensors" and made.prediction_type != "epsilon":
        typer.echo(
            f"The U-Net predicts {made.prediction_type}: in ComfyUI set it with ModelSamplingDiscrete.", err=True
        )
    typer.echo(str(out))


def _free(out: Path, overwrite: bool) -> Path:
    if out.exists() and not overwrite:
        raise OutputExistsError(f"`{out}` already exists. Give another name with -o, or add --overwrite to replace it.")
    return out


def _dtype(name: str | None):
    import torch

    if name is not None and name not in DTYPES:
        raise InputError(f"`--dtype` must be one of {', '.join(DTYPES)}, got {name!r}.")
    return None if name is None else getattr(torch, name)
