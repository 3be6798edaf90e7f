"""Scorers by their name on the command line."""

from __future__ import annotations

from pathlib import Path

import torch

from x2x_core.common.errors import InputError

from .adapters import ModuleScorer
from .bundled import BUNDLED, attribute_scorer, finding_scorer
from .network_files import NETWORK_SUFFIXES, read_network
from .scorer import PROBABILITY, ImageScorer
from .torchxrayvision import XRV, load_torchxrayvision


def load_scorer(spec: str, kind: str, device: str | torch.device = "cpu") -> ImageScorer:
    """Load a scorer by its name on the command line.

    Args:
        spec: "bundled"; "torchxrayvision:NAME" with NAME "race", "age" or weights of the library
            ("densenet121-res224-all"); or the path of a TorchScript (.pt, .pth, .ts) or ONNX (.onnx) file.
        kind: the required kind, "probability" or "value".
        device: where a torch network runs.

    Raises:
        InputNotFoundError: the file or its description does not exist.
        MissingExtraError: a library is not installed; the message names the extra.
        InputError: an unknown name, or a scorer of another kind.
    """
    scorer: ImageScorer
    if spec == BUNDLED:
        scorer = finding_scorer() if kind == PROBABILITY else attribute_scorer()
    elif spec.startswith(XRV):
        scorer = load_torchxrayvision(spec.removeprefix(XRV), device)
    elif Path(spec).suffix.lower() in NETWORK_SUFFIXES:
        scorer = load_file(spec, device)
    else:
        raise InputError(
            f"A scorer must be {BUNDLED!r}, '{XRV}NAME', or a file of {', '.join(NETWORK_SUFFIXES)}, got {spec!r}."
        )
    if scorer.kind != kind:
        raise InputError(f"The scorer {spec!r} must give each label a {kind}, but gives it a {scorer.kind}.")
    return scorer


def load_file(path: str | Path, device: str | torch.device = "cpu") -> ModuleScorer:
    """Load a scorer from a TorchScript or ONNX file with a description.

    Raises:
        InputNotFoundError: see `x2x_core.scorers.network_files.read_network`.
        MissingExtraError: likewise.
        InputError: likewise.
    """
    module, description = read_network(path, ("labels", "kind"), device=device)
    return ModuleScorer(module, **description)
