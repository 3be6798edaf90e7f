"""What the bundled networks read off the benchmark's pictures: attributes, and features for the Frechet distance.

They read the 8-bit pictures of the edits, and the pairs' images rounded to 8 bits, so that no row is told by its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from x2x_core.common.errors import InputError
from x2x_core.imaging.files import read_image
from x2x_core.scorers.scorer import FeatureSource, ImageScorer, in_batches, score_images

from .edits import picture_path
from .rows import slug

READINGS = "readings"
READ_AT_ONCE = 25  # pictures


@dataclass(frozen=True)
class Readers:
    """The networks: one for attributes, one for features; `key` says which weights they have."""

    attributes: ImageScorer
    features: FeatureSource
    key: str


@dataclass(frozen=True)
class Readings:
    """Of the pictures of one row: `attributes` `(n, A)` float64 and `features` `(n, D)` float32."""

    attributes: torch.Tensor
    features: torch.Tensor


def read_row(out: Path, row: str, files: Sequence[str], readers: Readers) -> Readings:
    """Read the pictures of a row, or take what was read of the same pictures by the same networks.

    Args:
        out: the run's folder.
        row: its name.
        files: of its pairs.
        readers: the networks.
    """
    path = out / READINGS / f"{slug(row)}.safetensors"
    about = {"key": readers.key, "files": "\n".join(files)}
    if path.is_file():
        with safe_open(path, framework="pt") as file:
            if file.metadata() == about:
                return Readings(file.get_tensor("attributes"), file.get_tensor("features"))
    parts = [
        _read(torch.stack([_picture(picture_path(out, row, "edited", name)) for name in some]), readers)
        for some in (files[first : first + READ_AT_ONCE] for first in range(0, len(files), READ_AT_ONCE))
    ]
    found = {name: torch.cat([part[name] for part in parts]).contiguous() for name in parts[0]}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(found, path, metadata=about)
    return Readings(**found)


def _picture(path: Path) -> torch.Tensor:
    return (read_image(path).pixels[0] * 255).round() / 255


def _read(images: torch.Tensor, readers: Readers) -> dict[str, torch.Tensor]:
    attributes = score_images(readers.attributes, images)
    features = in_batches(readers.features.features, images, READ_AT_ONCE).float()
    return {"attributes": attributes, "features": features}


def true_values(records: Sequence[dict[str, Any]], labels: Sequence[str]) -> torch.Tensor:
    """The attributes that were drawn for pairs, `(n, A)` float64.

    Args:
        records: the lines of the simulated dataset's attributes.
        labels: names of `x2x_core.simulation.projection.Geometry` and `x2x_core.simulation.film.Film`.

    Raises:
        InputError: a label that the simulator does not draw.
    """
    numbers = [{**record["geometry"], **record["film"]} for record in records]
    unknown = [label for label in labels if label not in numbers[0]]
    if unknown:
        raise InputError(f"`labels` must be attributes that the simulator draws, got {', '.join(unknown)}.")
    return torch.tensor([[float(one[label]) for label in labels] for one in numbers], dtype=torch.float64)


def attribute_shifts(found: torch.Tensor, target: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """How far readings are from those of the real targets, in the attributes' own spread: `(n, A)`, at least 0.

    Args:
        found, target: readings of a row and of the real targets, `(n, A)`.
        truth: what was drawn for all pairs, `(m, A)`: its standard deviation is the unit.
    """
    spread = truth.std(dim=0, correction=0).clamp_min(1e-12)
    return (found - target).abs() / spread
