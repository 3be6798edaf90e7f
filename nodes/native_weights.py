"""The weights of a checkpoint's part, in whichever of the usual files they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import comfy.utils
import torch
from x2x_core.conversion.keys import check_keys

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


def check_weights(found: Mapping[str, torch.Tensor], model: torch.nn.Module, part: str) -> None:
    """See that weights are those that a model wants.

    Raises:
        ValueError: one is missing, is there besides, or of another shape; the message names it.
    """
    check_keys(found, {name: tuple(value.shape) for name, value in model.state_dict().items()}, f"the {part}")


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
