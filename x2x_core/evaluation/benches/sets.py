"""Two sets of images by the measures of CheXGenBench.

Dutt et al., *CheXGenBench: A Unified Benchmark For Fidelity, Privacy and Utility of Synthetic Chest Radiographs* (2025;
github.com/Raman1121/CheXGenBench): FID, KID, precision, recall, density and coverage on features, Frechet radiomics
distance, image-text alignment, and re-identification. Its tables name pictures and prompts: "path" and
"annotated_prompt" of real images, "img_savename" or "synthetic_filename" and "annotated_prompt" of synthetic ones; a
prompt of both tables joins two pictures.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.metrics import manifold
from x2x_core.evaluation.metrics.catalogue import info
from x2x_core.evaluation.metrics.frechet import fid
from x2x_core.evaluation.metrics.kernel_distance import kernel_distance
from x2x_core.evaluation.metrics.patient_kept import patient_kept
from x2x_core.evaluation.metrics.radiomics_distance import radiomics_distance
from x2x_core.evaluation.results import Metric, ResultRow, Results
from x2x_core.imaging.files import read_image
from x2x_core.scorers.image_text import ImageTextScorer
from x2x_core.scorers.scorer import FeatureSource

PROMPT, REAL, SYNTHETIC = "annotated_prompt", ("path",), ("img_savename", "synthetic_filename")
KEYS = ("fid", "kid", "precision", "recall", "density", "coverage", "frd", "image_text", "patient_kept")


@dataclass(frozen=True)
class SetNetworks:
    """The networks that take part; without one its measures are undefined."""

    features: FeatureSource | None = None
    radiomics: FeatureSource | None = None
    image_text: ImageTextScorer | None = None
    identity: FeatureSource | None = None


@dataclass(frozen=True)
class Pictured:
    """A picture with its prompt."""

    path: Path
    prompt: str


def read_table(table: str | Path, folder: str | Path, columns: Sequence[str]) -> list[Pictured]:
    """Read a table of CheXGenBench; of rows with one prompt the first counts, as there.

    Args:
        table: CSV.
        folder: of the pictures.
        columns: names of the column with the file, in the order in which they are looked for.

    Raises:
        InputNotFoundError: the table or a picture is missing.
        InputError: a column is missing, or there are no rows.
    """
    table, folder = Path(table), Path(folder)
    if not table.is_file():
        raise InputNotFoundError(f"There is no table at `{table}`.")
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        column = next((name for name in columns if name in (reader.fieldnames or ())), None)
        if column is None or PROMPT not in (reader.fieldnames or ()):
            raise InputError(f"`{table}` must have a column {' or '.join(columns)} and a column {PROMPT}.")
        rows: dict[str, Pictured] = {}
        for row in reader:
            rows.setdefault(row[PROMPT], Pictured(folder / row[column], row[PROMPT]))
    for picture in rows.values():
        if not picture.path.is_file():
            raise InputNotFoundError(f"The picture `{picture.path}` named in `{table}` is missing.")
    if not rows:
        raise InputError(f"`{table}` must have at least one row.")
    return list(rows.values())


def compare_sets(
    synthetic: Sequence[Pictured], real: Sequence[Pictured], networks: SetNetworks, about: Mapping[str, Any]
) -> Results:
    """Compare the pictures of the prompts that both sets have.

    Args:
        synthetic: generated or edited pictures.
        real: real pictures.
        networks: that take part.
        about: entries of the record.

    Raises:
        InputError: fewer than two prompts in common.
        MissingExtraError: torchmetrics is not installed.
    """
    of_prompt = {row.prompt: row for row in real}
    made = [row for row in synthetic if row.prompt in of_prompt]
    if len(made) < 2:
        raise InputError(f"The two tables must have at least two prompts in common, got {len(made)}.")
    images, truths = ([_grey(row.path) for row in rows] for rows in (made, [of_prompt[row.prompt] for row in made]))
    prompts = [row.prompt for row in made]
    metrics = dict.fromkeys(KEYS, Metric(None, note="no network for it takes part"))
    if networks.features is not None:
        metrics |= _of_features(*(_features(networks.features, own) for own in (images, truths)))
    if networks.radiomics is not None:
        value = radiomics_distance(*(_features(networks.radiomics, own) for own in (images, truths)))
        metrics["frd"] = Metric(value, n=len(made), note="" if value is not None else "the sets coincide")
    if networks.identity is not None:
        first, second = (_features(networks.identity, own) for own in (images, truths))
        found = patient_kept(first, second, prompts)
        metrics["patient_kept"] = Metric(float(found.mean()), n=len(made), note="the picture of the same prompt")
    if networks.image_text is not None:
        fits = [networks.image_text.similarity(own[None], [text]) for own, text in zip(images, prompts)]
        metrics["image_text"] = Metric(float(torch.cat(fits).mean()), n=len(made))
    record = {
        "title": "Two sets of images, by CheXGenBench's measures", "size": f"{len(made)} pictures in each set",
        "measures": {key: info(key).described("statistic") for key in KEYS}, "ours": "synthetic", **about,
    }  # fmt: skip
    return Results(record, (ResultRow("synthetic", metrics),))


def _of_features(synthetic: torch.Tensor, real: torch.Tensor) -> dict[str, Metric]:
    n = len(synthetic)
    metrics = {"fid": Metric(fid(synthetic, real), n=n), "kid": Metric(kernel_distance(synthetic, real), n=n)}
    for key in ("precision", "recall", "density", "coverage"):
        if n > manifold.NEAREST:
            metrics[key] = Metric(float(getattr(manifold, key)(synthetic, real).mean()), n=n)
        else:
            metrics[key] = Metric(None, n=n, note=f"needs more than {manifold.NEAREST} images")
    return metrics


def _grey(path: Path) -> torch.Tensor:
    return read_image(path).pixels.mean(1)


def _features(source: FeatureSource, images: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([source.features(image[None]).detach().cpu().double() for image in images])
