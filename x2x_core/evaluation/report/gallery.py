"""The report's gallery: pictures of cases, small, inside the page itself."""

from __future__ import annotations

import base64
import io
import logging
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from x2x_core.evaluation.results import Case
from x2x_core.imaging.files import read_image
from x2x_core.imaging.overlay import guidance_overlay, mask_contour

from .view import View

logger = logging.getLogger(__name__)

SHOWN_PX = 300  # longer side of a picture in the page
QUALITY = 82  # of its JPEG
MOST = 12  # cases
RANKS = ("best", "median", "worst")  # in the order in which they are shown
AFTER, MASK = "after: ", "mask: "  # before a row's name, among a case's files


def gallery(view: View, folder: Path) -> str:
    """The cases of a record as HTML; empty where there are none, or none of their pictures.

    Args:
        view: the record.
        folder: that the cases' files are relative to.
    """
    ranked = [case for case in view.results.cases if case.scores.get("rank") in RANKS]
    ratio = lambda case: (case.scores.get(view.ours().name) or {}).get("mse_ratio") or 0.0  # noqa: E731
    ordered = sorted(ranked, key=lambda case: (RANKS.index(case.scores["rank"]), ratio(case)))
    cases = ordered or list(view.results.cases)
    return "".join(_case(view, case, folder) for case in cases[:MOST])


def _case(view: View, case: Case, folder: Path) -> str:
    pictures = [(caption, picture, style) for caption, picture, style in _pictures(view, case, folder)]
    if not pictures:
        logger.warning("The pictures of case `%s` are not in `%s`: it is left out of the gallery.", case.id, folder)
        return ""
    rank = str(case.scores.get("rank", "")).capitalize()
    heading = f"{rank}: {case.instruction}" if rank else case.instruction
    shown = "".join(
        f'<figure class="{style}"><img alt="{escape(caption)}" src="{_embedded(picture)}"><figcaption>{escape(caption)}'
        "</figcaption></figure>"
        for caption, picture, style in pictures
    )
    return f'<div class="case"><h3>{escape(heading)}</h3><div class="pictures">{shown}</div></div>'


def _pictures(view: View, case: Case, folder: Path):
    """Captions, pictures and styles of what a case has: before, target, guidance map, and the rows' edits."""
    files = {name: folder / place for name, place in case.files.items() if (folder / place).is_file()}
    if "before" not in files:
        return
    before = _grey(files["before"])
    yield "before", _show(before), ""
    if "target" in files:
        yield "real target", _show(_grey(files["target"])), ""
    if "guidance" in files:
        overlay = guidance_overlay(before, _grey(files["guidance"]))
        yield "guidance map", _outlined(overlay, files.get("mask")), ""
    edits = {name.removeprefix(AFTER): place for name, place in files.items() if name.startswith(AFTER)}
    masks = {name.removeprefix(MASK): place for name, place in files.items() if name.startswith(MASK)}
    if not edits and "after" in files:
        edits, masks = {view.ours().name: files["after"]}, {view.ours().name: files.get("mask")}
    for name, place in edits.items():
        yield _caption(name, case), _outlined(_show(_grey(place)), masks.get(name)), view.role(name)


def _caption(name: str, case: Case) -> str:
    scores = case.scores.get(name)
    ratio = scores.get("mse_ratio") if isinstance(scores, dict) else None
    return name if ratio is None else f"{name}, error ratio {ratio:.2f}"


def _grey(path: Path) -> np.ndarray:
    """`(H, W)` float32 in [0, 1]."""
    return read_image(path).pixels[0].mean(0).numpy()


def _show(values: np.ndarray) -> Image.Image:
    return Image.fromarray((values * 255).round().astype(np.uint8)).convert("RGB")


def _outlined(picture: Image.Image, mask: Path | None) -> Image.Image:
    if mask is None:
        return picture
    inside = _grey(mask) > 0.5
    return picture if inside.all() or not inside.any() else mask_contour(picture, inside)


def _embedded(picture: Image.Image) -> str:
    """A picture as the address of an `img`."""
    if max(picture.size) != SHOWN_PX:
        scale = SHOWN_PX / max(picture.size)
        size = tuple(max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.convert("RGB").save(file, format="JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
