"""The weights of a checkpoint's part, in whichever of the usual files they are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import comfy.utils
import torch

STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a part, by name.

    The full file is taken before one of a variant such as fp16, and safetensors before pickled files, which are read
    as weights alone: no code in them is run.

    Args:
        folder: of the part, such as `unet`.

    Raises:
        FileNotFoundError: there are none.
    """
    tensors = {}
    for file in _files(folder):
        tensors.update(comfy.utils.load_torch_file(str(file), safe_load=True))
    return tensors


def check_names(found: Iterable[str], expected: Iterable[str], part: str) -> None:
    """See that a part's weights are those that its configuration asks for.

    Raises:
        ValueError: one is missing, or one is there besides.
    """
    found, expected = set(found), set(expected)
    for names, fault in ((expected - found, "is missing"), (found - expected, "is none of them")):
        if names:
            raise ValueError(
                f"The {part}'s weights must be those that its config.json asks for, but `{min(names)}` {fault}. Give a "
                "whole checkpoint; LoRA layers are loaded with ComfyUI's own loader."
            )


def _files(folder: Path) -> list[Path]:
    """One file, or all shards of one."""
    for suffix in ("safetensors", "bin"):
        for stem in STEMS:
            if (folder / f"{stem}.{suffix}").is_file():
                return [folder / f"{stem}.{suffix}"]
            shards = sorted(folder.glob(f"{stem}-*-of-*.{suffix}"))
            if shards:
                return shards
            variants = [file for file in sorted(folder.glob(f"{stem}.*.{suffix}")) if "non_ema" not in file.name]
            if variants:
                return variants[:1]
    raise FileNotFoundError(
        f"There are no weights in `{folder}`: it must hold {STEMS[0]}.safetensors, {STEMS[1]}.safetensors, or a .bin "
        "file of such a name. Download the checkpoint again."
    )
