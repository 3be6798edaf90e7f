"""Lung fields of simulated radiographs: the lungs as a reader outlines them, for training the lung finder.

The simulator's lung masks hold all that lies in a ray's way, also the lung behind heart and diaphragm, which no reader
sees. A lung field is where a ray crosses mostly lung: at least `FIELD_SHARE` of its way through the thoracic cavity.
Disease does not change it: the field of a lung under an effusion is that of the healthy lung.

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

from .dataset import PAIRS_PER_BODY, body_generator, read_ct, recorded_resting
from .pairs import SEEN_MM, draw_body
from .projection import project, ray_grid
from .scenario import Resting
from .thorax import Thorax, segment_thorax

FIELD_SHARE = 0.62  # of a ray's way through the cavity that is lung; found by looking at where the dark lung ends
FIELD_PIXELS = 128  # to a side at which rays are cast: the share is smooth, and is enlarged
_STEP_MM = 6.0
_STRIP = 0.075  # share of the height under which a strip of lung between heart and diaphragm is no field
_OPENING = 0.03  # share of the width under which other strips are none


def cavity(thorax: Thorax) -> torch.Tensor:
    """The thoracic cavity `(Z, Y, X)` of 0 and 1: the convex hull of both lungs in each axial slice."""
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
    version: str = "mixed",
    pairs: int = PAIRS_PER_BODY,
    resting: Resting = Resting(),
) -> torch.Tensor:
    """The lung fields of the body that `simulate_body` draws from `generator`.

    Args:
        thorax: the chest.
        generator: in the state in which `simulate_body` gets it.
        size: pixels to a side.
        version, pairs, resting: as `simulate_body` got them: the body depends on them.

    Returns:
        `(2, size, size)` bool, right and left.
    """
    geometry = draw_body(generator, pairs, version, resting)[0]
    grid = ray_grid(tuple(thorax.soft.shape), thorax.spacing, geometry, FIELD_PIXELS, generator, step_mm=_STEP_MM)
    volumes = torch.stack([thorax.lungs["right"].mask, thorax.lungs["left"].mask, cavity(thorax)])
    way = F.interpolate(project(volumes, grid, _STEP_MM)[None], (size, size), mode="bicubic", align_corners=False)[0]
    lungs = way[:2]
    whole = torch.maximum(way[2], lungs.sum(0)).clamp_min(SEEN_MM)
    fields = (lungs > SEEN_MM) & (lungs / whole > FIELD_SHARE)
    return torch.stack([_tidy(field) for field in fields])


def _tidy(field: torch.Tensor) -> torch.Tensor:
    """The largest piece, without thin strips and holes."""
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
    """Add `fields/` to a simulated dataset; bodies that have theirs are left alone.

    Args:
        ct: the CT that the dataset was simulated from, see `simulate_dataset`.
        folder: of the dataset.
        progress: called with the bodies done and the bodies in all.

    Returns:
        The folder `fields/`.

    Raises:
        InputNotFoundError: `folder` holds no simulated dataset.
        InputError: it was simulated from another CT.
    """
    folder = Path(folder)
    record = folder / "simulation.json"
    if not record.is_file():
        raise InputNotFoundError(f"There is no simulated dataset at `{folder}`: `simulation.json` is missing.")
    settings, volume = json.loads(record.read_text()), read_ct(ct)
    if settings["ct"] != volume.source:
        raise InputError(f"`ct` must be the one of the dataset, {settings['ct']}, got {volume.source}.")
    out = folder / "fields"
    out.mkdir(exist_ok=True)
    bodies = sorted(int(part.stem) for part in (folder / "parts").glob("*.json"))
    todo = [body for body in bodies if not (out / f"{body:06d}.png").is_file()]
    thorax = segment_thorax(volume) if todo else None
    drawn = {"version": settings["version"], "resting": recorded_resting(settings)}
    for number, body in enumerate(todo, len(bodies) - len(todo) + 1):
        fields = lung_fields(thorax, body_generator(settings["seed"], body), settings["size"], **drawn)
        picture = torch.cat([fields, torch.zeros_like(fields[:1])]).float()
        notice = synthetic_metadata({"seed": settings["seed"], "body": body, "ct": settings["ct"]})
        write_png(out / f"{body:06d}.png", picture, 8, notice)
        if progress:
            progress(number, len(bodies))
    return out
