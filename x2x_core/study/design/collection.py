"""Edits and unedited pictures of a folder of results.

Two layouts are read: any tree with results of `x2x edit` (`edited.png` beside `result.json`) and unedited radiographs
in files of their own; and the folder of a benchmark's run (`x2x evaluate films` or `benchmark`), whose rows are the
methods.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.benchmark.plan import PAIRS
from x2x_core.evaluation.benchmark.storage import EDITS
from x2x_core.imaging.changed import changed_region
from x2x_core.imaging.files import read_image
from x2x_core.imaging.provenance import read_provenance, sha256_file
from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import read_rows

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; the last two lie outside
RESULT, EDITED, MASK = "result.json", "edited.png", "guidance_mask.png"
_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".dcm")
_NOT_FILMS = ("edited.png", "guidance_map.png", "guidance_mask.png", "panel.png")
_SMALLEST_BOX = 0.001  # share of the picture, below which a part of a region has no box
_TEST = "test"  # split of a benchmark's pairs


@dataclass(frozen=True)
class Found:
    """A picture of a folder of results, and what is true of it.

    Args:
        path: the file.
        source: names the unedited film that it is, or was made from.
        method: what made the edit; ``None`` for an unedited film.
        instruction: text of the edit, or empty.
        added: findings that the edit adds, or whose level it changes.
        removed: findings that it removes.
        level: of the added finding, if the edit adds one with a level.
        boxes: around the parts of the region that may have changed.
    """

    path: Path
    source: str
    method: str | None = None
    instruction: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    level: str | None = None
    boxes: tuple[Box, ...] = ()

    @property
    def edited(self) -> bool:
        """Return True for an edit."""
        return self.method is not None


def collect(folder: Path) -> list[Found]:
    """Return the pictures of a folder of results, each once, in the order of their names.

    Raises:
        InputNotFoundError: no such folder.
        InputError: no edits in it, or a record that cannot be read.
    """
    if not folder.is_dir():
        raise InputNotFoundError(f"There is no folder `{folder}`. Give a folder of results, or a reading sheet.")
    run = (folder / PAIRS).is_dir() and (folder / EDITS).is_dir()
    pictures = list(_of_run(folder) if run else _of_edits(folder))
    if not any(picture.edited for picture in pictures):
        raise InputError(
            f"`{folder}` must hold edits: results of `x2x edit` ({EDITED} beside {RESULT}) or the run of "
            "`x2x evaluate films`. Give such a folder, or a reading sheet."
        )
    return pictures


def _of_edits(folder: Path) -> Iterator[Found]:
    """Yield results of `x2x edit`, and the radiographs beside them."""
    results = sorted(path for path in folder.rglob(RESULT) if (path.parent / EDITED).is_file())
    for path in results:
        yield _edit(folder, path)
    skipped = {path.parent for path in results}
    seen = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _SUFFIXES or path.name in _NOT_FILMS or path.parent in skipped:
            continue
        if path.suffix.lower() == ".png" and "prompt" in read_provenance(path)["parameters"]:
            raise InputError(f"`{path}` is an edit, and must lie beside its {RESULT}. Put the whole result there.")
        digest = sha256_file(path)
        if digest not in seen:
            seen.add(digest)
            yield Found(path, digest)


def _edit(folder: Path, path: Path) -> Found:
    """Return the edit of a `result.json`; its method is the first folder below `folder`."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        prompt, source = record["prompt"], record["input"]["sha256"]
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"`{path}` must be a record of `x2x edit`: {error!r}.") from error
    inside = path.relative_to(folder).parts
    method = inside[0] if len(inside) > 2 else "edit"
    mask = path.parent / MASK
    region = None if not mask.is_file() else read_image(mask).pixels[0].mean(0).numpy() > 0.5
    return Found(path.parent / EDITED, source, method, prompt, **_truths(prompt), boxes=boxes_of(region))


def _of_run(folder: Path) -> Iterator[Found]:
    """Yield the edits of a benchmark's rows, and the pictures before additions."""
    rows = read_rows(folder / PAIRS, _TEST)
    sources = _films(folder)
    methods = sorted(path.parent for path in (folder / EDITS).glob("*/edited"))
    unedited = set()
    for row in rows:
        before = read_image(row.past).pixels[0]
        region = changed_region(read_image(row.current).pixels[0] - before)[0].numpy()
        truths = _truths(row.instruction)
        source = sources.get(row.past.name) or hashlib.sha256(row.past.read_bytes()).hexdigest()
        for method in methods:
            path = method / "edited" / row.past.name
            if path.is_file():
                yield Found(path, source, method.name, row.instruction, **truths, boxes=boxes_of(region))
        # Before a removal, the picture has a drawn lesion.
        if truths["added"] and not truths["removed"] and source not in unedited:
            unedited.add(source)
            yield Found(row.past, source)


def _films(folder: Path) -> dict[str, str]:
    """Return the hash of the film of each pair, where the run knows it."""
    path = folder / PAIRS / "attributes.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else ()
    records = [json.loads(line) for line in lines if line.strip()]
    return {record["file"]: record["film_sha256"] for record in records if record.get("film_sha256")}


def _truths(prompt: str) -> dict[str, Any]:
    """Return what an instruction says of the picture after the edit; nothing of one that cannot be read."""
    try:
        clauses = Instruction.parse(prompt, strict=False).clauses
    except InputError:
        clauses = ()
    added = [clause for clause in clauses if clause.operation is not Operation.REMOVE]
    removed = [clause for clause in clauses if clause.operation is Operation.REMOVE]
    levels = {clause.level for clause in added}
    return {
        "added": tuple(dict.fromkeys(clause.finding for clause in added)),
        "removed": tuple(dict.fromkeys(clause.finding for clause in removed)),
        "level": levels.pop() if len(levels) == 1 else None,
    }


def boxes_of(region: np.ndarray | None) -> tuple[Box, ...]:
    """Return boxes around the connected parts of a region, largest first.

    Args:
        region: `(H, W)` bool, or ``None``.
    """
    if region is None or not region.any():
        return ()
    count, _, facts, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
    parts = sorted(facts[1:count].tolist(), key=lambda part: -part[4])
    large = [part for part in parts if part[4] >= _SMALLEST_BOX * region.size] or parts[:1]
    return tuple((left, top, left + width, top + height) for left, top, width, height, _ in large)


def method_names(pictures: list[Found]) -> tuple[str, ...]:
    """Return the methods of the edits, in alphabetical order."""
    return tuple(sorted({picture.method for picture in pictures if picture.method is not None}))


def truth_of(picture: Found) -> Mapping[str, Any]:
    """Return what the key says of a picture."""
    return {
        "file": picture.path.name,
        "source": picture.source,
        "method": picture.method,
        "instruction": picture.instruction,
        "added": list(picture.added),
        "removed": list(picture.removed),
        "level": picture.level,
        "boxes": [list(box) for box in picture.boxes],
    }
