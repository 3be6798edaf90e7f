"""Files of a benchmark's run.

Layout of the run's folder::

    benchmark.json               settings
    pairs/                       simulated pairs, see `x2x_core.simulation.dataset`
    edits/ROW/scores/BODY.json   scores of the body's pairs, and the time that their edits took
    edits/ROW/edited/PAIR.png    the edit, 8 bits
    edits/ROW/guidance/PAIR.png  the guidance map, 8 bits
    edits/ROW/mask/PAIR.png      the guidance mask, 0 or 255
    readings/ROW.safetensors     attributes and features that the networks read
    evaluation.json              the record

A body is done when its scores are there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from x2x_core.common.storage import write_text
from x2x_core.evaluation.results import TARGET, UNEDITED
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata

from .pairs import EditedPair
from .plan import PAIRS, PlannedPair
from .rows import slug

EDITS = "edits"
_FOLDER_OF_REFERENCE = {UNEDITED: "past", TARGET: "current"}


def scores_path(out: Path, row: str, body: int) -> Path:
    """Return the path of the scores of a row's edits of a body."""
    return out / EDITS / slug(row) / "scores" / f"{body:06d}.json"


def picture_path(out: Path, row: str, kind: str, file: str) -> Path:
    """Return the path of a row's picture.

    Args:
        out: the run's folder.
        row: name of the row; a reference's picture is the pair's own.
        kind: "edited", "guidance" or "mask".
        file: name of the pair's file.
    """
    if row in _FOLDER_OF_REFERENCE:
        return out / PAIRS / _FOLDER_OF_REFERENCE[row] / file
    return out / EDITS / slug(row) / kind / file


def read_scores(out: Path, row: str, body: int) -> list[dict[str, Any]]:
    """Read the scores of a body, one record a pair."""
    return json.loads(scores_path(out, row, body).read_text())


def write_scores(out: Path, row: str, body: int, scores: list[dict[str, Any]]) -> None:
    """Write the scores of a body."""
    path = scores_path(out, row, body)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(scores))


def write_pictures(out: Path, row: str, planned: PlannedPair, edit: EditedPair) -> None:
    """Write the edited image, guidance map and guidance mask of a pair as PNG."""
    notice = synthetic_metadata({"instruction": planned.pair.instruction, "seed": planned.seed, "row": row})
    for kind, pixels in (("edited", edit.image), ("guidance", edit.guidance_map), ("mask", edit.mask.float())):
        path = picture_path(out, row, kind, planned.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, pixels.clamp(0, 1), 8, notice)
