"""Weights from files: safetensors, and pickles that contain nothing but weights."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from x2x_core.common.checkpoint_layout import PICKLE_SUFFIXES, SAFETENSORS_SUFFIX, SINGLE_FILE_SUFFIXES
from x2x_core.common.errors import InputError, InputNotFoundError


class _Inert:
    """Stand-in for the classes in `_STAND_INS`: it does nothing and is discarded."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


# PyTorch Lightning stores the state of its callbacks by class beside the weights, as in the original files of Stable
# Diffusion and InstructPix2Pix; step counts and scores may be NumPy numbers. Nothing of these modules is imported or
# called: each name becomes an empty class.
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
    """Read the weights of a file, and the metadata of a safetensors file.

    A pickle is read with `weights_only`: no code in it is run.

    Args:
        file: `.safetensors`, or a pickle (`.ckpt`, `.pt`, `.pth`, `.bin`); the weights of a training checkpoint are
            those under "state_dict".

    Raises:
        InputNotFoundError: the file does not exist.
        InputError: the file is of another kind or damaged, or a pickle that contains anything but weights.
    """
    file = Path(file)
    if not file.is_file():
        raise InputNotFoundError(f"There is no file `{file}`.")
    if file.suffix.lower() == SAFETENSORS_SUFFIX:
        return _read_safetensors(file)
    if file.suffix.lower() not in PICKLE_SUFFIXES:
        raise InputError(f"`{file}` must be a file of weights ({', '.join(SINGLE_FILE_SUFFIXES)}).")
    return _weights_of(_read_pickle(file), file), {}


def _read_safetensors(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        with safe_open(file, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, dict(opened.metadata() or {})  # noqa: SIM118  not a dict
    except (SafetensorError, OSError) as error:
        raise InputError(f"`{file}` must be a complete safetensors file, but can't be read: {error}.") from error


def _read_pickle(file: Path) -> Any:
    stand_ins: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
        (type(name.rpartition(".")[2], (_Inert,), {}), name) for name in _STAND_INS
    ]
    try:
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError as error:
        match = re.search(r"(?:GLOBAL|function|class|type) ([\w.]+)", str(error))
        name = f" ({match[1]})" if match else ""
        raise InputError(
            f"`{file}` holds more than weights{name}, or is damaged. It is not read, since reading the rest would run "
            "code from the file. Use a safetensors file of the same model; or, if you trust its author, load it in the "
            "program that wrote it and save its `state_dict` alone with `safetensors.torch.save_file`."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(f"`{file}` must be a complete file of weights, but can't be read: {error}.") from error


def _weights_of(content: Any, file: Path) -> dict[str, torch.Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise InputError(f"`{file}` must hold weights by name, got {type(content).__name__}.")
    others = sorted(str(name) for name, value in content.items() if not torch.is_tensor(value))
    if others:
        raise InputError(f"`{file}` must hold weights alone, but these are not: {', '.join(others)}.")
    return dict(content)
