"""Networks from TorchScript and ONNX files, with a description.

The description is a JSON file beside the network, `NAME.json` for `NAME.pt` or `NAME.onnx`::

    {"labels": ["pleural effusion", "edema"], "kind": "probability", "size": 224, "activation": "sigmoid",
     "low": -1024, "high": 1024, "channels": 1, "mean": [], "std": []}

A scorer needs "labels" and "kind", a segmenter "structures". The other fields are those of
`x2x_core.scorers.preparation.Preparation`, "activation" and "name".
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra

from .preparation import Network, Preparation, last_line

TORCHSCRIPT_SUFFIXES, ONNX_SUFFIX = (".pt", ".pth", ".ts"), ".onnx"
NETWORK_SUFFIXES = (*TORCHSCRIPT_SUFFIXES, ONNX_SUFFIX)
_NAME_LISTS = ("labels", "structures")
_TEXTS = ("kind", "activation", "name")
_ONNX_FLOAT = "tensor(float)"


def read_network(
    path: str | Path, required: Collection[str], allowed: Collection[str] = (), device: str | torch.device = "cpu"
) -> tuple[Network, dict[str, Any]]:
    """Read a TorchScript or ONNX file, to the CPU, and its description.

    The description also has "name", by default the file's, and "device", where the network is to run: `device`, or the
    CPU for ONNX, whose inputs and outputs are there.

    Args:
        path: the network's file.
        required: fields that the description must have.
        allowed: fields that it may have besides those of `Preparation`, "activation" and "name".
        device: where a torch network is to run.

    Raises:
        InputNotFoundError: the file or its description does not exist.
        MissingExtraError: onnxruntime is not installed.
        InputError: the file or its description cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There is no network at `{path}`.")
    description = _description(path.with_suffix(".json"), required, allowed)
    is_onnx = path.suffix.lower() == ONNX_SUFFIX
    description = {"name": path.name, **description, "device": "cpu" if is_onnx else device}
    return (_onnx(path) if is_onnx else torchscript(path)), description


def _description(path: Path, required: Collection[str], allowed: Collection[str]) -> dict[str, Any]:
    listed = " and ".join(f"`{name}`" for name in required)
    if not path.is_file():
        raise InputNotFoundError(
            f"There is no `{path}`: it must describe the network's output, in JSON with {listed}, such as "
            '{"labels": ["pleural effusion"], "kind": "probability", "size": 224}.'
        )
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"`{path}` must be JSON: {error}.") from error
    known = {"name", "activation", *required, *allowed, *(field.name for field in fields(Preparation))}
    if not isinstance(description, dict) or not set(required) <= set(description) <= known:
        raise InputError(
            f"`{path}` must have {listed}, and of other fields only {', '.join(sorted(known - set(required)))}."
        )
    for name, value in description.items():
        if name in _TEXTS and not isinstance(value, str):
            raise InputError(f"`{name}` in `{path}` must be text, got {value!r}.")
        if name in _NAME_LISTS and not (isinstance(value, list) and all(isinstance(entry, str) for entry in value)):
            raise InputError(f"`{name}` in `{path}` must be a list of texts, got {value!r}.")
    return description


def torchscript(path: Path) -> nn.Module:
    """Read a TorchScript file, to the CPU.

    Raises:
        InputError: the file is not TorchScript.
    """
    try:
        return torch.jit.load(str(path), map_location="cpu").eval()
    except RuntimeError as error:
        raise InputError(
            f"`{path}` must be a TorchScript file (torch.jit.save), but can't be read: {last_line(error)}"
        ) from error


def _onnx(path: Path) -> Network:
    """Return an ONNX file's first output as a function of its one input; a fixed batch size is handled by padding."""
    with needs_extra("Reading an ONNX file", "onnxruntime", "onnx"):
        import onnxruntime
    try:
        session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
    except Exception as error:  # onnxruntime's errors have no common class of their own
        raise InputError(f"`{path}` must be an ONNX file, but onnxruntime can't read it: {error}") from error
    entries = session.get_inputs()
    if len(entries) != 1 or entries[0].type != _ONNX_FLOAT:
        inputs = ", ".join(f"{entry.name} {entry.type}" for entry in entries)
        raise InputError(f"`{path}` must take one input, float32 images, but takes {inputs}.")
    batch = entries[0].shape[0] if isinstance(entries[0].shape[0], int) else None

    def run(images: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(session.run(None, {entries[0].name: images.contiguous().numpy()})[0])

    return run if batch is None else lambda images: _in_fixed_batches(run, images, batch)


def _in_fixed_batches(run: Network, images: torch.Tensor, batch: int) -> torch.Tensor:
    missing = -len(images) % batch
    padded = torch.cat([images, images[-1:].expand(missing, -1, -1, -1)])
    return torch.cat([run(part) for part in padded.split(batch)])[: len(images)]
