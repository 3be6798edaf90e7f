"""Pictures of a reading set: edits and drawn lesions at the films' own resolution, on disk, resumable.

A picture is done when its record is there. Layout of the folder::

    settings.json        what decides the pictures
    pictures/NNNN.png    the picture of the n-th entry of the plan
    pictures/NNNN-before.png   the picture before its edit
    pictures/NNNN.json   hash of the film and seconds of the edit
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.storage import write_text
from x2x_core.evaluation.benchmark.editing import edit_pairs
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.evaluation.progress import Progress
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.simulation.films.lesions import draw_lesions
from x2x_core.simulation.films.survey import read_chest

from .plan import Entry

PICTURES = "pictures"


def picture_of(folder: Path, number: int, before: bool = False) -> Path:
    """Return the path of the picture of the n-th entry, or of the picture before its edit."""
    return folder / PICTURES / f"{number:04d}{'-before' if before else ''}.png"


def read_facts(folder: Path, number: int) -> dict[str, Any]:
    """Return "film_sha256" and "seconds" (``None`` if no model edited) of the n-th entry."""
    return json.loads((folder / PICTURES / f"{number:04d}.json").read_text(encoding="utf-8"))


def make_pictures(
    folder: Path, pipeline, entries: Sequence[Entry], call: dict[str, Any], progress: Progress | None = None
) -> None:
    """Make the pictures that are not there yet.

    Args:
        folder: see the top of this module.
        pipeline: an `InstructX2XPipeline`.
        entries: of the plan.
        call: arguments of the pipeline's call.
        progress: called with the pictures done and in all.
    """
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    for number, entry in enumerate(entries):
        done = folder / PICTURES / f"{number:04d}.json"
        if not done.is_file():
            write_text(done, json.dumps(_make(folder, pipeline, entry, number, call)))
        if progress:
            progress(number + 1, len(entries))


def _make(folder: Path, pipeline, entry: Entry, number: int, call: dict[str, Any]) -> dict[str, Any]:
    chest = read_chest(entry.film)
    lesions = () if entry.lesion is None else (entry.lesion,)
    before = torch.from_numpy(draw_lesions(chest, lesions))[None]
    image, seconds = before, None
    if entry.seed is not None:
        began = time.perf_counter()
        pair = TruePair(before, before, entry.instruction or "")
        # as a user's edit: the places and extents that the request leaves open are drawn
        image = edit_pairs(pipeline, [pair], [entry.seed], **{"draw_place": True, **call})[0].image
        seconds = round(time.perf_counter() - began, 3)
    parameters = {"instruction": entry.instruction, "seed": entry.seed, "kind": entry.kind}
    for path, pixels in ((picture_of(folder, number, True), before), (picture_of(folder, number), image)):
        write_png(path, pixels.clamp(0, 1), 8, synthetic_metadata(parameters))
    return {"film_sha256": hashlib.sha256(entry.film.path.read_bytes()).hexdigest(), "seconds": seconds}
