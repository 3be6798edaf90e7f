"""Lung fields of simulated radiographs: the lungs as a reader outlines them, for training the lung finder.

The simulator's lung masks contain every ray that crosses lung, also behind the heart and the diaphragm, where no reader
sees it. In a lung field, at least `FIELD_SHARE` of a ray's path through the thoracic cavity is lung. Disease does not
change it: the field of a lung below an effusion is that of the lung without disease.

`write_fields` adds a folder to a dataset that `simulate_dataset` wrote::

    fields/            one PNG a body, right and left lung field in red and green (0 or 255)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata

from .dataset import body_generator, read_ct
from .layout import FIELDS, PARTS, SETTINGS_FILE, fields_file
from .pairs import SEEN_MM, draw_body
from .projection import project, ray_grid
from .settings import ANY_RESTING, DEFAULTS, PAIRS_PER_BODY, Resting, SimulationSettings
from .thorax import Thorax, segment_thorax

FIELD_SHARE = 0.62  # of a ray's path through the cavity; chosen by looking at the border of the dark lung
FIELD_PIXELS = 128  # width and height at which rays are cast; the share is smooth, so it is enlarged afterwards
_STEP_MM = 6.0
_STRIP = 0.075  # of the image's height: lower strips of lung between heart and diaphragm are removed
_OPENING = 0.03  # of the image's width: other strips narrower than this are removed


def cavity(thorax: Thorax) -> torch.Tensor:
    """Return the thoracic cavity `(Z, Y, X)` of 0 and 1: the convex hull of both lungs in each axial slice."""
    lungs = torch.maximum(thorax.lungs["right"].mask, thorax.lungs["left"].mask).numpy() > 0.5
    filled = np.zeros(lungs.shape, np.uint8)
    for axial, lung in zip(filled, lungs):
        points = cv2.findNonZero(lung.astype(np.uint8))
        if points is not None:
            cv2.fillConvexPoly(axial, cv2.convexHull(points), 1)
    return torch.from_numpy(filled.astype(np.float32))


def lung_fields(
    thorax: Thorax,
    generator: torch.Generator,
    size: int,
    version: str = DEFAULTS.version,
    pairs: int = PAIRS_PER_BODY,
    resting: Resting = ANY_RESTING,
) -> torch.Tensor:
    """Compute the lung fields of the body that `simulate_body` draws from `generator`.

    Args:
        thorax: the segmented CT.
        generator: in the state in which `simulate_body` receives it.
        size: width and height in pixels.
        version: wording with which the body was simulated; its random numbers depend on it.
        pairs: number of pairs simulated of the body.
        resting: findings that may be present without changing, as in the simulation.

    Returns:
        `(2, size, size)` bool, right and left.
    """
    body, _ = draw_body(generator, pairs, version, resting)
    grid = ray_grid(thorax.shape, thorax.spacing, body.geometry, FIELD_PIXELS, generator, step_mm=_STEP_MM)
    volumes = torch.stack([thorax.lungs["right"].mask, thorax.lungs["left"].mask, cavity(thorax)])
    path = F.interpolate(project(volumes, grid, _STEP_MM)[None], (size, size), mode="bicubic", align_corners=False)[0]
    lungs = path[:2]
    whole = torch.maximum(path[2], lungs.sum(0)).clamp_min(SEEN_MM)
    fields = (lungs > SEEN_MM) & (lungs / whole > FIELD_SHARE)
    return torch.stack([_tidy(field) for field in fields])


def _tidy(field: torch.Tensor) -> torch.Tensor:
    """Keep the largest component, without thin strips and holes."""
    height, width = (max(1, round(share * field.shape[-1])) for share in (_STRIP, _OPENING))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    opened = cv2.morphologyEx(field.numpy().astype(np.uint8), cv2.MORPH_OPEN, np.ones((height, 1), np.uint8))
    opened = cv2.morphologyEx(opened, cv2.MORPH_OPEN, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2:
        return torch.zeros_like(field)
    piece = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    return torch.from_numpy(cv2.morphologyEx(piece, cv2.MORPH_CLOSE, kernel) > 0)


def write_fields(ct: str | Path, folder: str | Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """Add `fields/` to a simulated dataset; existing files are kept.

    Args:
        ct: the CT from which the dataset was simulated, see `simulate_dataset`.
        folder: the dataset.
        progress: called with the number of finished bodies and the total.

    Returns:
        The folder `fields/`.

    Raises:
        InputNotFoundError: `folder` is not a simulated dataset.
        InputError: it was simulated from another CT.
    """
    folder = Path(folder)
    file = folder / SETTINGS_FILE
    if not file.is_file():
        raise InputNotFoundError(f"There is no simulated dataset at `{folder}`: `{SETTINGS_FILE}` is missing.")
    record, volume = json.loads(file.read_text()), read_ct(ct)
    if record["ct"] != volume.source:
        raise InputError(f"`ct` must be the CT of the dataset, {record['ct']}, got {volume.source}.")
    (folder / FIELDS).mkdir(exist_ok=True)
    bodies = sorted(int(part.stem) for part in (folder / PARTS).glob("*.json"))
    missing = [body for body in bodies if not fields_file(folder, body).is_file()]
    if missing:
        thorax, settings = segment_thorax(volume), SimulationSettings.from_record(record)
        for number, body in enumerate(missing, len(bodies) - len(missing) + 1):
            _write_body_fields(thorax, settings, folder, body)
            if progress:
                progress(number, len(bodies))
    return folder / FIELDS


def _write_body_fields(thorax: Thorax, settings: SimulationSettings, folder: Path, body: int) -> None:
    fields = lung_fields(
        thorax,
        body_generator(settings.seed, body),
        settings.size,
        version=settings.version,
        resting=settings.resting,
    )
    image = torch.cat([fields, torch.zeros_like(fields[:1])]).float()
    metadata = synthetic_metadata({"seed": settings.seed, "body": body, "ct": thorax.source})
    write_png(fields_file(folder, body), image, 8, metadata)
