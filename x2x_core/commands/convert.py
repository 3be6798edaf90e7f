"""`x2x convert`: convert checkpoints between original single files and the diffusers layout."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x2x_core.common.errors import OutputExistsError

from .loading import DTYPES, quiet_libraries, torch_dtype

if TYPE_CHECKING:
    import torch

_LISTED = 20  # weights left out for one reason that are listed without --list-all


def convert(
    source: Annotated[
        Path, typer.Argument(help="A single file (.ckpt, .safetensors) or a folder in diffusers layout.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Target: a single file if the name ends in .safetensors, else a folder.")
    ],
    weights: Annotated[
        str, typer.Option(help="U-Net weights to take from a single file: auto (EMA if present), ema or trained.")
    ] = "auto",
    dtype: Annotated[str | None, typer.Option(help=f"{', '.join(DTYPES)}.", show_default="unchanged")] = None,
    like: Annotated[
        Path | None,
        typer.Option(help="Folder in diffusers layout whose configurations and tokenizer fit the single file."),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="CLIP tokenizer for a file that lacks one: a folder or a Hugging Face repository."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing checkpoint.")] = False,
    list_all: Annotated[bool, typer.Option("--list-all", help="List every weight that is left out.")] = False,
) -> None:
    """Convert an InstructPix2Pix or InstructX2X checkpoint, preserving every weight bit for bit.

    Each weight is checked by name and shape, and weights that are left out are listed. Pickles (.ckpt) that contain
    anything but weights are refused. A folder in diffusers layout needs the CLIP tokenizer, which original single files
    lack. ComfyUI reads the single files.

    Example: x2x convert instruct-pix2pix-00-22000.ckpt -o instruct-pix2pix --tokenizer CLIP_TOKENIZER_FOLDER
    """
    quiet_libraries()
    from x2x_core.conversion.convert import convert as convert_checkpoint

    made = convert_checkpoint(
        source, _free(out, overwrite), weights=weights, dtype=_dtype(dtype), like=like, tokenizer=tokenizer
    )
    for part, values in made.weights.items():
        types = ", ".join(sorted({str(value.dtype).removeprefix("torch.") for value in values.values()}))
        typer.echo(
            f"{part}: {len(values)} weights, {sum(value.numel() for value in values.values()):,} numbers, {types}"
        )
    for reason, count in Counter(made.left_out.values()).items():
        names = [name for name, why in made.left_out.items() if why == reason]
        shown = names if list_all or count <= _LISTED else [*names[:3], f"and {count - 3} more (--list-all)"]
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


def _dtype(name: str | None) -> torch.dtype | None:
    return None if name is None else torch_dtype(name)
