"""Weights read from files: safetensors, and pickles that hold weights and nothing else."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from x2x_core.common.errors import InputError, InputNotFoundError

PICKLES = (".ckpt", ".pt", ".pth", ".bin")
SAFETENSORS = ".safetensors"


class _Inert:
    """What stands in for the classes in `_STAND_INS` when a file names them: it does nothing and is thrown away."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


# Lightning keeps the state of its callbacks beside the weights, by their class; Stable Diffusion's and InstructPix2Pix's
# original files have it. Step counts and scores there may be numbers of NumPy. Nothing of these modules is called: the
# names become an empty class.
_STAND_INS = (
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
    "pytorch_lightning.utilities.enums.DeviceType",
    "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
    "lightning.pytorch.callbacks.early_stopping.EarlyStopping",
    *(
        f"numpy.{module}.multiarray.{name}" for module in ("core", "_core") for name in ("scalar", "_reconstruct")
    ),
    "numpy.dtype",
    "numpy.ndarray",
)  # fmt: skip


def read_weights(file: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The weights in a file, and the text that a safetensors file carries with them.

    A pickle is read with `weights_only`: no code in it is run.

    Args:
        file: `.safetensors`, or a pickle: `.ckpt`, `.pt`, `.pth`, `.bin`; in a training checkpoint the weights are
            those under "state_dict".

    Raises:
        InputNotFoundError: there is no such file.
        InputError: another kind of file, a damaged one, or a pickle that holds anything but weights.
    """
    file = Path(file)
    if not file.is_file():
        raise InputNotFoundError(f"There is no file `{file}`.")
    if file.suffix.lower() == SAFETENSORS:
        return _read_safetensors(file)
    if file.suffix.lower() not in PICKLES:
        raise InputError(f"`{file}` must be a file of weights ({', '.join((SAFETENSORS, *PICKLES))}).")
    return _weights_of(_read_pickle(file), file), {}


def _read_safetensors(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        with safe_open(file, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, dict(opened.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise InputError(f"`{file}` must be a whole safetensors file, but can't be read: {error}.") from error


def _read_pickle(file: Path) -> Any:
    stand_ins = [(type(name.rpartition(".")[2], (_Inert,), {}), name) for name in _STAND_INS]
    try:
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError as error:
        found = re.search(r"(?:GLOBAL|function|class|type) ([\w.]+)", str(error))
        named = f" ({found[1]})" if found else ""
        raise InputError(
            f"`{file}` holds more than weights{named}, or is damaged, and is not read: to read the rest would run code "
            "from the file. Use a safetensors file of the same model; or, if you trust whoever made this one, load it in "
            "the program that wrote it and save its `state_dict` alone with `safetensors.torch.save_file`."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(f"`{file}` must be a whole file of weights, but can't be read: {error}.") from error


def _weights_of(content: Any, file: Path) -> dict[str, torch.Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise InputError(f"`{file}` must hold weights by name, got {type(content).__name__}.")
    others = sorted(str(name) for name, value in content.items() if not torch.is_tensor(value))
    if others:
        raise InputError(f"`{file}` must hold weights alone, but these are none: {', '.join(others)}.")
    return dict(content)
