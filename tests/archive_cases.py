"""Edits of DICOM files for tests of writing: a film, a mask, and a change inside it, without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from x2x_core.archive.settings import DicomSettings
from x2x_core.archive.writing import Results, write_dicom
from x2x_core.imaging.dicom import read_dicom
from x2x_core.imaging.files import to_values, write_png
from x2x_core.imaging.provenance import Proof, sha256_file, synthetic_metadata

KEY = "a secret of the tests"
PARAMETERS = {
    "prompt": "Add the finding of edema.",
    "seed": 3,
    "settings": {"steps": 2},
    "model": "demo",
    "weights_sha256": "0" * 64,
}
# What the DX image requires of its maker.
COMPLETE = {
    "PixelIntensityRelationship": "LIN", "PixelIntensityRelationshipSign": 1, "ImagerPixelSpacing": [0.14, 0.14],
    "BurnedInAnnotation": "NO", "PresentationIntentType": "FOR PRESENTATION", "KVP": "120",
}  # fmt: skip


def results_for(path: Path, change: float = 0.2) -> Results:
    """Return an edit of a file: brighter by `change` in a box, the mask; the rest as it was read."""
    pixels = read_dicom(path).pixels
    mask = torch.zeros(1, 1, *pixels.shape[2:], dtype=torch.bool)
    height, width = pixels.shape[2:]
    mask[..., height // 4 : height // 2, width // 4 : width // 2] = True
    edited = torch.where(mask, (pixels + change).clamp(0, 1), pixels)
    guidance = mask.float() * 0.7
    return Results(edited, guidance, mask, Image.new("RGB", (60, 20), (10, 20, 30)))


def write_results(folder: Path, path: Path, settings: DicomSettings | None = None, change: float = 0.2) -> Results:
    """Edit a file with `results_for` and write all results; return the edit."""
    folder.mkdir(exist_ok=True)
    results = results_for(path, change)
    parameters = {**PARAMETERS, "input": {"file": "DICOM", "sha256": sha256_file(path)}}
    write_dicom(folder, path, results, PARAMETERS["prompt"], parameters, settings or DicomSettings())
    return results


def draw(bits: int, signed: bool = False, shape: tuple[int, int] = (24, 20)) -> np.ndarray:
    """Return random values of all bits."""
    low = -(2 ** (bits - 1)) if signed else 0
    kind = np.uint8 if bits <= 8 and not signed else np.int16 if signed else np.uint16
    return np.random.default_rng(bits).integers(low, low + 2**bits, shape).astype(kind)


def write_pictures(folder, depth=8):
    """Write an original and its edit as PNG files."""
    before = torch.rand(1, 1, 20, 30, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 20, 30, dtype=torch.bool)
    mask[..., 5:10, 5:10] = True
    after = torch.where(mask, 1 - before, before)
    write_png(folder / "chest.png", before, depth)
    parameters = {**PARAMETERS, "input": {"sha256": sha256_file(folder / "chest.png")}}
    proof = Proof(to_values(after, depth), to_values(before, depth), mask[0, 0].numpy())
    write_png(folder / "edited.png", after, depth, synthetic_metadata(parameters, proof))
    return folder / "chest.png", folder / "edited.png"
