"""Provenance of written pictures: the synthetic mark, parameters, versions and hashes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata as installed
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image
from PIL.PngImagePlugin import PngInfo

import x2x_core
from x2x_core.common.errors import InputError, InputNotFoundError

from .files import read_text_chunks
from .fingerprint import pack_mask, pixel_digest, record_digest

SYNTHETIC_NOTICE = "Synthetic image made by InstructX2X, for research. Not for diagnosis."
SOFTWARE = f"InstructX2X {x2x_core.__version__}"  # as records name it
_LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "numpy", "pillow")
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".ckpt", ".pt")


@dataclass(frozen=True, eq=False)
class Proof:
    """Values by which `x2x verify` later checks a picture."""

    values: np.ndarray  # (H, W) or (H, W, 3) integers: the picture's, as stored in its file
    original: np.ndarray | None = None  # like `values`: of the input that it is an edit of; None for other pictures
    mask: np.ndarray | None = None  # (H, W) bool: pixels that may differ between the two

    def as_dict(self) -> dict[str, str]:
        """Return digests of the pixels and the packed mask, each as text, those that there are."""
        record = {"pixels_sha256": pixel_digest(self.values)}
        if self.original is not None:
            record["original_pixels_sha256"] = pixel_digest(self.original)
        if self.mask is not None:
            record["guidance_mask"] = pack_mask(self.mask)
        return record


CHUNKS = {
    "pixels_sha256": "Pixels-SHA256",
    "original_pixels_sha256": "Original-Pixels-SHA256",
    "guidance_mask": "Guidance-Mask",
}
RECORD_CHUNK = "Record-SHA256"  # digest of `_RECORDED`
_RECORDED = ("Synthetic", "Software", "Parameters", *CHUNKS.values())


def synthetic_metadata(parameters: Mapping[str, Any], proof: Proof | None = None) -> dict[str, str]:
    """Return the text chunks for a PNG made by this project.

    Args:
        parameters: how the picture was made (instruction, seed, steps, hashes, ...), JSON-serialisable.
        proof: the picture's values, for a later check.

    Returns:
        "Synthetic" ("true"), "Comment" (a notice for readers), "Software" and "Parameters" (JSON with
        sorted keys, so that equal parameters give equal bytes); with a proof, those of `CHUNKS` and a digest of all
        these texts too.

    Raises:
        InputError: a parameter that is not JSON-serialisable.
    """
    try:
        text = json.dumps(parameters, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"`parameters` must be JSON-serialisable (text, numbers, lists): {error}.") from error
    chunks = {
        "Synthetic": "true",
        "Comment": SYNTHETIC_NOTICE,
        "Software": SOFTWARE,
        "Parameters": text,
    }
    if proof is None:
        return chunks
    chunks |= {CHUNKS[name]: value for name, value in proof.as_dict().items()}
    return {**chunks, RECORD_CHUNK: _chunks_digest(chunks)}


def encode_picture(picture: Image, parameters: Mapping[str, Any], **options: Any) -> bytes:
    """Encode a picture as PNG whose metadata says that it is synthetic and how it was made.

    Args:
        picture: what to write.
        parameters: how it was made, as JSON can hold it.
        options: Pillow's, for `Image.save`. The default of `compress_level` is 3: it takes a third of the time of
            Pillow's own and makes files of panels 5 % larger.
    """
    chunks = PngInfo()
    for key, text in synthetic_metadata(parameters, Proof(np.asarray(picture))).items():
        chunks.add_itxt(key, text)
    encoded = io.BytesIO()
    picture.save(encoded, "PNG", pnginfo=chunks, **{"compress_level": 3, **options})
    return encoded.getvalue()


def _chunks_digest(chunks: Mapping[str, str]) -> str:
    return record_digest({name: chunks[name] for name in _RECORDED if name in chunks})


def is_record_intact(path: str | Path) -> bool | None:
    """Return whether the texts of a PNG are those that were written; `None` if it has no digest of them.

    Raises:
        InputNotFoundError: no such file.
        InputError: not a PNG.
    """
    chunks = read_text_chunks(path)
    return chunks[RECORD_CHUNK] == _chunks_digest(chunks) if RECORD_CHUNK in chunks else None


def read_provenance(path: str | Path) -> dict[str, Any]:
    """Read the provenance of a PNG: `synthetic` (bool), `software`, `parameters` (dict).

    A picture without provenance gives `{"synthetic": False, "software": "", "parameters": {}}`.

    Raises:
        InputNotFoundError: no such file.
        InputError: not a PNG, or its parameters are not JSON.
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


def read_proof(path: str | Path) -> dict[str, str]:
    """Read the proof that a PNG carries: the keys of `CHUNKS`, as far as it has them.

    Raises:
        InputNotFoundError: no such file.
        InputError: not a PNG.
    """
    chunks = read_text_chunks(path)
    return {name: chunks[chunk] for name, chunk in CHUNKS.items() if chunk in chunks}


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and the libraries that affect its results."""
    numbers = {"python": platform.python_version(), "x2x_core": x2x_core.__version__}
    for library in _LIBRARIES:
        try:
            numbers[library] = installed.version(library)
        except installed.PackageNotFoundError:
            continue
    return numbers


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        InputNotFoundError: no such file.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise InputNotFoundError(f"There is no file `{path}` to hash.")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_weights(path: str | Path) -> str:
    """Return one SHA-256 for a model: of its file, or of the names and contents of all weight files in its folder.

    Args:
        path: weight file, or folder in the diffusers layout.

    Raises:
        InputNotFoundError: no such file, or a folder without weights.
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
