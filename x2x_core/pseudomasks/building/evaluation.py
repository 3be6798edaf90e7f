"""How tight and how complete an atlas is on patients that it was not built from.

A box is covered where the mask of an instruction that names its place is at least `EDGE_LEVEL`. A box on one side is
asked for by that side; one across the midline by "bilateral". A box whose centre lies in two of the overlapping zones
is asked for by either. So every held-out box counts, whole, in every case in which an instruction could name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.common.errors import InputError
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.maps import MASK_RESOLUTION
from x2x_core.pseudomasks.placing import place_in_frame

from .boxes import Box
from .calibration import CASES, deal_patients
from .maps_from_boxes import DEFAULT_POOLS, FOLDS, BuildParameters, build_maps
from .model import THIRDS, group_boxes, has_sides
from .smoothing import count

ALIGNED = tuple(f"{case}, aligned" for case in CASES)
BASELINE = "baseline"

Asked = tuple[str | None, str | None]  # side ("bilateral": both) and zone that an instruction names


class AffineFrame(Protocol):
    """Where the anatomical frame lies in an image; see `PseudomaskAtlas.align`."""

    def to_frame(self, points: torch.Tensor) -> torch.Tensor:
        """Points `(..., 2)` (x, y) in shares of the image's width and height, in the frame."""


@dataclass
class Score:
    """Held-out boxes of one finding in one case."""

    editable: float = 0.0  # sum over boxes of the editable share of the image
    covered: float = 0.0  # pixels of boxes
    pixels: float = 0.0
    boxes: float = 0.0
    # By what was asked: boxes over each pixel, and boxes.
    places: dict[Asked, tuple[np.ndarray, float]] = field(default_factory=dict)

    def add(self, other: Score) -> None:
        for name in ("editable", "covered", "pixels", "boxes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for asked, (counts, boxes) in other.places.items():
            before, boxes_before = self.places.get(asked, (0, 0))
            self.places[asked] = (before + counts, boxes_before + boxes)

    def as_dict(self, coverage: float) -> dict[str, float]:
        measured = {
            "editable_share": round(self.editable / self.boxes, 4),
            "coverage": round(self.covered / self.pixels, 4),
            "boxes": round(self.boxes),
        }
        if self.places:
            measured["floor"] = round(self._floor(coverage), 4)
        return measured

    def _floor(self, coverage: float) -> float:
        """The editable share of the tightest regions that hold `coverage` of these very boxes' pixels."""
        shares, weights = [], []
        for counts, boxes in self.places.values():
            held = np.cumsum(np.sort(counts, axis=None)[::-1])
            shares.append((np.searchsorted(held, coverage * held[-1] * (1 - 1e-12)) + 1) / held.size)
            weights.append(boxes)
        return float(np.average(shares, weights=weights))


def evaluate_boxes(
    boxes: Sequence[Box],
    folds: int = FOLDS,
    seed: int = 1,
    frames: Mapping[str, AffineFrame] | None = None,
    baseline: PseudomaskAtlas | None = None,
    progress: Callable[[int, int], None] | None = None,
    **parameters: Any,
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure an atlas by cross-validation over patients.

    For each fold the whole build, choice of smoothing and calibration of the cuts included, sees only the other folds.

    Args:
        boxes: of any tables.
        folds: parts to deal the patients into, at least 2.
        seed: of the deal.
        frames: image id to its frame, for every image: measures the aligned cases too. Boxes are moved to the frame
            before building, masks to the image before measuring.
        baseline: published masks, measured on the same boxes (findings only).
        progress: called with the folds done and the folds in all.
        **parameters: of `build_maps`.

    Returns:
        For each category of the atlas and each of `CASES` (and `ALIGNED`, `BASELINE`): `editable_share`, the mean over
        held-out boxes of the share of the image that the mask opens; `coverage`, the share of their pixels that it
        holds; `boxes`; and `floor`, the share of the image that the tightest regions would open that hold as much of
        these boxes as is wanted, drawn with these boxes known: what no map in the image's frame can be under.

    Raises:
        InputError: fewer than 2 folds, fewer patients than folds, or an image without a frame.
    """
    fold_of = deal_patients([box.patient_id for box in boxes], folds, seed)
    missing = sorted({box.image_id for box in boxes} - set(frames)) if frames is not None else []
    if missing:
        raise InputError(f"`frames` must hold every image, but {len(missing)} are missing, such as {missing[0]}.")
    scores: dict[str, dict[str, Score]] = {}
    for fold in range(folds):
        _measure_fold(boxes, fold_of, fold, (frames, baseline), parameters, scores)
        if progress:
            progress(fold + 1, folds)
    coverage = BuildParameters(**_settings(parameters)).coverage
    return {
        category: {case: score.as_dict(coverage) for case, score in cases.items()}
        for category, cases in sorted(scores.items())
    }


def _settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name not in ("pools", "smoothing")}


def _measure_fold(boxes, fold_of, fold, given, parameters, scores) -> None:
    """Add one fold's scores to `scores`, category to case to `Score`."""
    frames, baseline = given
    learnt = [box for box in boxes if fold_of[box.patient_id] != fold]
    tested = [box for box in boxes if fold_of[box.patient_id] == fold]
    pools = parameters.get("pools") or DEFAULT_POOLS
    atlas = PseudomaskAtlas(*build_maps(learnt, **parameters))
    groups = {name: several for name, several in group_boxes(tested, pools).items() if name in atlas.names}
    aligned = None
    if frames is not None:
        moved = [move_box(box, frames[box.image_id]) for box in learnt]
        aligned = PseudomaskAtlas(*build_maps(moved, **parameters))
    for category, several in groups.items():
        cases = scores.setdefault(category, {})
        for case in CASES:
            cases.setdefault(case, Score()).add(_score(atlas, category, several, case))
        for case, name in zip(CASES, ALIGNED):
            if aligned is not None and category in aligned.names:
                cases.setdefault(name, Score()).add(_score_aligned(aligned, category, several, case, frames))
        if baseline is not None and category in baseline.names:
            cases.setdefault(BASELINE, Score()).add(_score(baseline, category, several, CASES[0]))


def asked_for(box: Box, case: str) -> list[Asked]:
    """The sides and zones by which instructions would name a box in a case; an editor draws one mask for each."""
    side = (box.side or "bilateral") if has_sides(box.category) and case != CASES[0] else None
    if case != CASES[2]:
        return [(side, None)]
    zones = [zone for zone in box.zones if zone in THIRDS] or list(box.zones)
    return [(side, zone) for zone in zones]


def _score(atlas: PseudomaskAtlas, category: str, boxes: Sequence[Box], case: str) -> Score:
    """Boxes in the frame of the whole image."""
    by_place: dict[Asked, list[tuple[Box, float]]] = {}
    for box in boxes:
        asked = asked_for(box, case)
        for place in asked:
            by_place.setdefault(place, []).append((box, 1 / len(asked)))
    score = Score()
    size = (MASK_RESOLUTION, MASK_RESOLUTION)
    for place, members in by_place.items():
        editable = atlas.for_category(category, size, *place)[0, 0].numpy() >= EDGE_LEVEL
        counts = sum(weight * _over(box) for box, weight in members)
        boxes_here = sum(weight for _, weight in members)
        score.add(_count_in(editable, counts, boxes_here, place))
    return score


def _count_in(editable: np.ndarray, counts: np.ndarray, boxes: float, place: Asked) -> Score:
    covered, pixels = float((counts * editable).sum()), float(counts.sum())
    return Score(float(editable.mean()) * boxes, covered, pixels, boxes, {place: (counts, boxes)})


def _score_aligned(
    atlas: PseudomaskAtlas, category: str, boxes: Sequence[Box], case: str, frames: Mapping[str, AffineFrame]
) -> Score:
    """Boxes in images that each have a frame: the masks are moved to the image."""
    score = Score()
    size = (MASK_RESOLUTION, MASK_RESOLUTION)
    for box in boxes:
        frame = frames[box.image_id]
        asked = asked_for(move_box(box, frame), case)
        for place in asked:
            mask = atlas.for_category(category, size, *place)
            editable = _mask_in_image(mask, frame).numpy() >= EDGE_LEVEL
            measured = _count_in(editable, _over(box) / len(asked), 1 / len(asked), place)
            score.add(replace(measured, places={}))  # no floor: the frame is each image's own
    return score


def _over(box: Box) -> np.ndarray:
    return count(np.array([[box.cx, box.cy, box.width, box.height]]), MASK_RESOLUTION)


def _mask_in_image(mask: torch.Tensor, frame: AffineFrame) -> torch.Tensor:
    """A mask `(1, 1, h, w)` of the frame over the image, `(h, w)`; 0 outside the frame."""
    return place_in_frame(mask, tuple(mask.shape[-2:]), frame)[0, 0]


def move_box(box: Box, frame: AffineFrame) -> Box:
    """A box of an image in the anatomical frame: its centre moved, its sides scaled as the frame scales them.

    The sides keep to the frame's axes, so a turned frame neither widens nor narrows the box.
    """
    left, top, right, bottom = box.edges
    corners = torch.tensor([(left, top), (right, top), (left, bottom), (right, bottom)], dtype=torch.float64)
    moved = frame.to_frame(corners)
    centre = moved.mean(dim=0)
    width = float((moved[1] - moved[0]).norm())
    height = float((moved[2] - moved[0]).norm())
    return replace(box, cx=float(centre[0]), cy=float(centre[1]), width=width, height=height)
