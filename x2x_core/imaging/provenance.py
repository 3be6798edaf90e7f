"""What a written picture says of itself: that it is synthetic, and how it was made."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata as installed
from pathlib import Path
from typing import Any

import x2x_core
from x2x_core.common.errors import InputError, InputNotFoundError

from .files import read_text_chunks

SYNTHETIC_NOTICE = "Synthetic image made by InstructX2X, for research. Not for diagnosis."
_LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "numpy", "pillow")
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".ckpt", ".pt")


def synthetic_metadata(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Text chunks for a PNG that this project made.

    Args:
        parameters: how the picture was made (instruction, seed, steps, hashes, ...); what JSON can hold.

    Returns:
        "Synthetic" ("true"), "Comment" (a notice for people), "Software" and "Parameters" (JSON with
        sorted keys, so that the same parameters give the same bytes).

    Raises:
        InputError: a parameter that JSON can't hold.
    """
    try:
        text = json.dumps(parameters, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"`parameters` must be what JSON can hold (text, numbers, lists): {error}.") from error
    return {
        "Synthetic": "true",
        "Comment": SYNTHETIC_NOTICE,
        "Software": f"InstructX2X {x2x_core.__version__}",
        "Parameters": text,
    }


def read_provenance(path: str | Path) -> dict[str, Any]:
    """What a PNG says of itself: `synthetic` (bool), `software`, `parameters` (dict).

    A picture that says nothing gives ``{"synthetic": False, "software": "", "parameters": {}}``.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: no PNG, or its parameters are no JSON.
    """
    chunks = read_text_chunks(path)
    try:
        parameters = json.loads(chunks.get("Parameters", "{}"))
    except json.JSONDecodeError as error:
        raise InputError(f"`{path}` must hold its parameters as JSON: {error}.") from error
    return {
        "synthetic": chunks.get("Synthetic") == "true",
        "software": chunks.get("Software", ""),
        "parameters": parameters,
    }


def versions() -> dict[str, str]:
    """The versions of Python, of this package and of the libraries that decide its results."""
    found = {"python": platform.python_version(), "x2x_core": x2x_core.__version__}
    for library in _LIBRARIES:
        try:
            found[library] = installed.version(library)
        except installed.PackageNotFoundError:
            continue
    return found


def sha256_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits.

    Raises:
        InputNotFoundError: there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There is no file `{path}` to hash.")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_weights(path: str | Path) -> str:
    """One SHA-256 of a model: of its file, or of all weight files in its folder by name and content.

    Args:
        path: a weight file, or a folder in the diffusers layout.

    Raises:
        InputNotFoundError: no such place, or a folder without weights.
    """
    path = Path(path)
    if path.is_file():
        return sha256_file(path)
    files = sorted(file for file in path.rglob("*") if file.suffix in _WEIGHT_SUFFIXES)
    if not files:
        raise InputNotFoundError(f"There are no weights ({', '.join(_WEIGHT_SUFFIXES)}) in `{path}` to hash.")
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path).as_posix()} {sha256_file(file)}\n".encode())
    return digest.hexdigest()
