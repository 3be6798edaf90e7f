"""Pictures of a record's cases, small and embedded in the page."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from x2x_core.evaluation.cases import RANKING, RANKS
from x2x_core.evaluation.results import Case
from x2x_core.imaging.files import read_image
from x2x_core.imaging.overlay import guidance_overlay, mask_contour

from .view import View

logger = logging.getLogger(__name__)

SHOWN_PX = 300  # longer side of a picture in the page
QUALITY = 82  # of its JPEG
MOST_CASES = 12
AFTER, MASK = "after: ", "mask: "  # before a row's name, among the names of a case's files


@dataclass(frozen=True)
class Picture:
    """Picture of a case: `source` is a data address, `style` a class of the style sheet."""

    caption: str
    source: str
    style: str


@dataclass(frozen=True)
class ShownCase:
    """A case with its pictures."""

    heading: str
    pictures: tuple[Picture, ...]


def shown_cases(view: View, folder: Path) -> list[ShownCase]:
    """Return the cases of a record that have pictures: the best, median and worst, or else the first ones.

    Args:
        view: the record.
        folder: folder that the cases' files are relative to.
    """
    ours = view.ours().name

    def order(case: Case) -> tuple[int, float]:
        return RANKS.index(case.scores["rank"]), (case.scores.get(ours) or {}).get(RANKING) or 0.0

    ranked = sorted((case for case in view.results.cases if case.scores.get("rank") in RANKS), key=order)
    cases = [case for case in ranked or view.results.cases if case.files]
    shown = []
    for case in cases[:MOST_CASES]:
        pictures = tuple(_pictures(view, case, folder))
        if not pictures:
            logger.warning("Case `%s` is left out of the gallery: its pictures are not in `%s`.", case.id, folder)
            continue
        rank = str(case.scores.get("rank", "")).capitalize()
        shown.append(ShownCase(f"{rank}: {case.instruction}" if rank else case.instruction, pictures))
    return shown


def _pictures(view: View, case: Case, folder: Path) -> Iterator[Picture]:
    """Yield before, target, guidance map, and the rows' edits, as far as the case has them."""
    files = {name: folder / path for name, path in case.files.items() if (folder / path).is_file()}
    if "before" not in files:
        return
    before = _grey(files["before"])
    yield Picture("before", _embedded(_to_picture(before)), "")
    if "target" in files:
        yield Picture("real target", _embedded(_to_picture(_grey(files["target"]))), "")
    if "guidance" in files:
        overlay = guidance_overlay(before, _grey(files["guidance"]))
        yield Picture("guidance map", _embedded(_outlined(overlay, files.get("mask"))), "")
    edits = {name.removeprefix(AFTER): path for name, path in files.items() if name.startswith(AFTER)}
    masks = {name.removeprefix(MASK): path for name, path in files.items() if name.startswith(MASK)}
    if not edits and "after" in files:
        ours = view.ours().name
        edits = {ours: files["after"]}
        masks = {ours: files["mask"]} if "mask" in files else {}
    for name, path in edits.items():
        picture = _outlined(_to_picture(_grey(path)), masks.get(name))
        yield Picture(_caption(name, case), _embedded(picture), view.role(name))


def _caption(name: str, case: Case) -> str:
    scores = case.scores.get(name)
    ratio = scores.get(RANKING) if isinstance(scores, dict) else None
    return name if ratio is None else f"{name}, error ratio {ratio:.2f}"


def _grey(path: Path) -> np.ndarray:
    """Read a picture as `(H, W)` float32 in [0, 1]."""
    return read_image(path).pixels[0].mean(0).numpy()


def _to_picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray((values * 255).round().astype(np.uint8)).convert("RGB")


def _outlined(picture: Image.Image, mask: Path | None) -> Image.Image:
    if mask is None:
        return picture
    inside = _grey(mask) > 0.5
    return picture if inside.all() or not inside.any() else mask_contour(picture, inside)


def _embedded(picture: Image.Image) -> str:
    """Return a picture as a data address of a JPEG."""
    if max(picture.size) != SHOWN_PX:
        scale = SHOWN_PX / max(picture.size)
        width, height = (max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.convert("RGB").save(file, format="JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
