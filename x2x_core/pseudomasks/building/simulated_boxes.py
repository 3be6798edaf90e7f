"""Boxes of simulated pairs: around the change of each added or removed finding."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from x2x_core.anatomy.sites import ZONE_BANDS
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.simulation.change_maps import CHANGE_ZERO

from .boxes import Box

Rectangle = tuple[float, float, float, float]  # left, top, width, height in pixels

CHANGED_SHARE = 0.1  # of the largest change, from which a pixel counts as changed


def simulated_boxes(dataset: str | Path) -> list[Box]:
    """Return the box around the change of every pair that adds or removes one finding.

    The box contains all pixels that change by more than a tenth of the largest change. Side and zone are those of the
    simulated lesion; a lesion without a zone lies in the zones that contain the centre of its box.

    Args:
        dataset: folder written by `x2x simulate`.

    Returns:
        Boxes whose `image_id` is the file name of the pair and whose `patient_id` is its body.

    Raises:
        InputNotFoundError: there is no such dataset, or a change map is missing.
        InputError: no pair adds or removes a single finding that has a category.
    """
    dataset = Path(dataset)
    table = dataset / "attributes.jsonl"
    if not table.is_file():
        raise InputNotFoundError(f"There is no simulated dataset at `{dataset}`: it must hold attributes.jsonl.")
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines() if line]
    boxes = [box for row in rows if (box := _box(row, dataset)) is not None]
    if not boxes:
        raise InputError(f"`{dataset}` must hold pairs that add or remove one finding, but has none.")
    return boxes


def simulated_image(dataset: str | Path, image_id: str) -> Path:
    """Return the image in which a box of `simulated_boxes` lies: the one before the change."""
    return Path(dataset) / "past" / image_id


def _box(row: dict, dataset: Path) -> Box | None:
    if len(row["clauses"]) != 1 or row["clauses"][0]["operation"] not in ("add", "remove"):
        return None
    clause = row["clauses"][0]
    category = FINDINGS[clause["finding"]].category
    rectangle = _changed_rectangle(dataset / "change" / row["file"])
    if category is None or rectangle is None:
        return None
    lesion = _lesion(row, clause)
    zone = lesion.get("zone")
    return Box.from_pixels(category, *rectangle, row["file"], row["file"].rsplit("-", 1)[0]).with_place(
        lesion.get("side"), zone if zone in ZONE_BANDS else None
    )


def _lesion(row: dict, clause: dict) -> dict:
    """Return the simulated lesion of a clause; the clause itself if there is none of its name."""
    drawn = row["after"] if clause["operation"] == "add" else row["before"]
    same = [lesion for lesion in drawn if lesion["finding"] == clause["finding"]]
    return same[0] if len(same) == 1 else clause


def _changed_rectangle(path: Path) -> tuple[Rectangle, tuple[float, float]] | None:
    """Return the rectangle that changes and the size of the image, in pixels; ``None`` if nothing changes."""
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise InputNotFoundError(f"There is no change map at `{path}`.")
    change = np.abs(values.astype(np.float64) - CHANGE_ZERO)
    if not change.any():
        return None
    rows, columns = np.nonzero(change > CHANGED_SHARE * change.max())
    left, top = float(columns.min()), float(rows.min())
    height, width = change.shape
    return (left, top, columns.max() + 1 - left, rows.max() + 1 - top), (float(width), float(height))
