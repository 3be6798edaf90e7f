"""Network readings of a benchmark's pictures: attributes, and features for the Fréchet distance.

They read the 8-bit pictures of the edits, and the pairs' 16-bit images rounded to 8 bits, so that no row differs by its
file format.
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

from .plan import batches
from .rows import slug
from .storage import picture_path

READINGS = "readings"
READ_AT_ONCE = 25  # pictures


@dataclass(frozen=True)
class Readers:
    """The networks.

    Args:
        attributes: reads attributes.
        features: computes features for FID.
        key: identifies their weights.
    """

    attributes: ImageScorer
    features: FeatureSource
    key: str


@dataclass(frozen=True)
class Readings:
    """Readings of one row's pictures: `attributes` `(n, A)` float64 and `features` `(n, D)` float32."""

    attributes: torch.Tensor
    features: torch.Tensor


def read_row(out: Path, row: str, files: Sequence[str], readers: Readers) -> Readings:
    """Read the pictures of a row, or load an earlier reading of the same pictures by the same networks.

    Args:
        out: the run's folder.
        row: name of the row.
        files: names of its pairs' files.
        readers: the networks.
    """
    path = out / READINGS / f"{slug(row)}.safetensors"
    about = {"key": readers.key, "files": "\n".join(files)}
    if path.is_file():
        with safe_open(path, framework="pt") as file:
            if file.metadata() == about:
                return Readings(file.get_tensor("attributes"), file.get_tensor("features"))
    parts = [
        _read(torch.stack([_picture(picture_path(out, row, "edited", name)) for name in names]), readers)
        for names in batches(files, READ_AT_ONCE)
    ]
    tensors = {name: torch.cat([part[name] for part in parts]).contiguous() for name in parts[0]}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=about)
    return Readings(**tensors)


def _picture(path: Path) -> torch.Tensor:
    return (read_image(path).pixels[0] * 255).round() / 255


def _read(images: torch.Tensor, readers: Readers) -> dict[str, torch.Tensor]:
    attributes = score_images(readers.attributes, images)
    features = in_batches(readers.features.features, images, READ_AT_ONCE).float()
    return {"attributes": attributes, "features": features}


def true_values(records: Sequence[dict[str, Any]], labels: Sequence[str]) -> torch.Tensor:
    """Return the attributes that were drawn for pairs, `(n, A)` float64.

    Args:
        records: the simulator's records of the pairs, with "geometry" and "film".
        labels: names of `x2x_core.simulation.projection.Geometry` and `x2x_core.simulation.film.Film`.

    Raises:
        InputError: a label that the simulator does not draw.
    """
    drawn = [{**record["geometry"], **record["film"]} for record in records]
    unknown = [label for label in labels if label not in drawn[0]]
    if unknown:
        raise InputError(f"`labels` must be attributes that the simulator draws, got {', '.join(unknown)}.")
    return torch.tensor([[float(values[label]) for label in labels] for values in drawn], dtype=torch.float64)
