"""Scoring an atlas on patients that it was not built from: how tight and how complete it is.

A box is covered where the mask of an instruction that names its place is at least `EDGE_LEVEL`. A box on one side is
named by that side, one across the midline by "bilateral". A box whose centre lies in two of the overlapping zones is
named by both. So every held-out box counts fully in every case in which an instruction could name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from x2x_core.anatomy.frame import AffineFrame
from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.common.errors import InputError
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.maps import MASK_RESOLUTION
from x2x_core.pseudomasks.placing import place_in_frame

from .boxes import Box
from .calibration import CASES, split_patients
from .maps_from_boxes import DEFAULT_POOLS, FOLDS, BuildParameters, build_maps
from .model import THIRDS, group_boxes, has_sides
from .smoothing import count

ALIGNED = tuple(f"{case}, aligned" for case in CASES)
BASELINE = "baseline"

NamedPlace = tuple[str | None, str | None]  # side and zone that an instruction names


@dataclass
class Score:
    """Sums over the held-out boxes of one finding in one case."""

    editable: float = 0.0  # sum over boxes of the editable share of the image
    covered: float = 0.0  # pixels of boxes
    pixels: float = 0.0
    boxes: float = 0.0
    # By the place named: number of boxes over each pixel, and number of boxes.
    places: dict[NamedPlace, tuple[np.ndarray, float]] = field(default_factory=dict)

    def add(self, other: Score) -> None:
        """Add another score to this one."""
        for name in ("editable", "covered", "pixels", "boxes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for place, (counts, boxes) in other.places.items():
            before = self.places.get(place)
            self.places[place] = (counts, boxes) if before is None else (before[0] + counts, before[1] + boxes)

    def as_dict(self, coverage: float) -> dict[str, float]:
        """Return the shares that the record holds; the floor is that of a coverage in (0, 1]."""
        shares: dict[str, float] = {
            "editable_share": round(self.editable / self.boxes, 4),
            "coverage": round(self.covered / self.pixels, 4),
            "boxes": round(self.boxes),
        }
        if self.places:
            shares["floor"] = round(self._floor(coverage), 4)
        return shares

    def _floor(self, coverage: float) -> float:
        """Return the editable share of the tightest regions that contain `coverage` of these boxes' pixels."""
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
    """Score an atlas by cross-validation over patients.

    For each fold the whole build, including the choice of smoothing and the calibration of the cuts, uses only the
    other folds.

    Args:
        boxes: boxes of any tables.
        folds: number of folds, at least 2.
        seed: of the split of the patients.
        frames: image id to its frame, for every image: scores the aligned cases too. Boxes are moved to the frame
            before building, masks to the image before scoring.
        baseline: published masks to score on the same boxes (findings only).
        progress: called with the number of finished folds and their total.
        **parameters: parameters of `build_maps`.

    Returns:
        For each category of the atlas and each of `CASES` (and `ALIGNED`, `BASELINE`): `editable_share`, the mean over
        held-out boxes of the share of the image that the mask opens; `coverage`, the share of their pixels inside;
        `boxes`; and `floor`, the share of the image opened by the tightest regions with the same coverage, drawn with
        knowledge of these boxes: a lower bound for every map in the image's frame.

    Raises:
        InputError: fewer than 2 folds, fewer patients than folds, or an image without a frame.
    """
    fold_of = split_patients([box.patient_id for box in boxes], folds, seed)
    missing = sorted({box.image_id for box in boxes} - set(frames)) if frames is not None else []
    if missing:
        raise InputError(f"`frames` must hold every image, but {len(missing)} are missing, such as {missing[0]}.")
    scores: dict[str, dict[str, Score]] = {}
    for fold in range(folds):
        learnt = [box for box in boxes if fold_of[box.patient_id] != fold]
        tested = [box for box in boxes if fold_of[box.patient_id] == fold]
        for category, cases in _score_fold(_Fold(learnt, tested, frames, baseline, parameters)).items():
            for case, score in cases.items():
                scores.setdefault(category, {}).setdefault(case, Score()).add(score)
        if progress:
            progress(fold + 1, folds)
    coverage = BuildParameters(**_settings(parameters)).coverage
    return {
        category: {case: score.as_dict(coverage) for case, score in cases.items()}
        for category, cases in sorted(scores.items())
    }


def _settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name not in ("pools", "smoothing")}


@dataclass(frozen=True)
class _Fold:
    """The boxes of one fold of the cross-validation, and what they are scored with."""

    learnt: Sequence[Box]
    tested: Sequence[Box]
    frames: Mapping[str, AffineFrame] | None
    baseline: PseudomaskAtlas | None
    parameters: Mapping[str, Any]  # of `build_maps`


def _score_fold(fold: _Fold) -> dict[str, dict[str, Score]]:
    """Build an atlas from one part of the boxes and score it on the other: category to case to score."""
    pools = fold.parameters.get("pools") or DEFAULT_POOLS
    atlas = PseudomaskAtlas(*build_maps(fold.learnt, **fold.parameters))
    aligned = None
    if fold.frames is not None:
        moved = [move_box(box, fold.frames[box.image_id]) for box in fold.learnt]
        aligned = PseudomaskAtlas(*build_maps(moved, **fold.parameters))
    scores: dict[str, dict[str, Score]] = {}
    for category, boxes in group_boxes(fold.tested, pools).items():
        if category not in atlas.names:
            continue
        cases = {case: _score(atlas, category, boxes, case) for case in CASES}
        if aligned is not None and fold.frames is not None and category in aligned.names:
            for case, name in zip(CASES, ALIGNED):
                cases[name] = _score_aligned(aligned, category, boxes, case, fold.frames)
        if fold.baseline is not None and category in fold.baseline.names:
            cases[BASELINE] = _score(fold.baseline, category, boxes, CASES[0])
        scores[category] = cases
    return scores


def named_places(box: Box, case: str) -> list[NamedPlace]:
    """Return the sides and zones by which instructions would name a box in a case; each gives a mask of its own."""
    side = (box.side or "bilateral") if has_sides(box.category) and case != CASES[0] else None
    if case != CASES[2]:
        return [(side, None)]
    zones = [zone for zone in box.zones if zone in THIRDS] or list(box.zones)
    return [(side, zone) for zone in zones]


def _score(atlas: PseudomaskAtlas, category: str, boxes: Sequence[Box], case: str) -> Score:
    """Score boxes in the frame of the whole image."""
    by_place: dict[NamedPlace, list[tuple[Box, float]]] = {}
    for box in boxes:
        names = named_places(box, case)
        for place in names:
            by_place.setdefault(place, []).append((box, 1 / len(names)))
    score = Score()
    size = (MASK_RESOLUTION, MASK_RESOLUTION)
    for place, members in by_place.items():
        editable = atlas.for_category(category, size, *place)[0, 0].numpy() >= EDGE_LEVEL
        counts = np.sum([weight * _over(box) for box, weight in members], axis=0)
        boxes_here = sum(weight for _, weight in members)
        score.add(_count_in(editable, counts, boxes_here, place))
    return score


def _count_in(editable: np.ndarray, counts: np.ndarray, boxes: float, place: NamedPlace) -> Score:
    covered, pixels = float((counts * editable).sum()), float(counts.sum())
    return Score(float(editable.mean()) * boxes, covered, pixels, boxes, {place: (counts, boxes)})


def _score_aligned(
    atlas: PseudomaskAtlas, category: str, boxes: Sequence[Box], case: str, frames: Mapping[str, AffineFrame]
) -> Score:
    """Score boxes in images that each have a frame: the masks are moved to the image."""
    score = Score()
    size = (MASK_RESOLUTION, MASK_RESOLUTION)
    for box in boxes:
        frame = frames[box.image_id]
        names = named_places(move_box(box, frame), case)
        for place in names:
            mask = atlas.for_category(category, size, *place)
            editable = _mask_in_image(mask, frame).numpy() >= EDGE_LEVEL
            single = _count_in(editable, _over(box) / len(names), 1 / len(names), place)
            score.add(replace(single, places={}))  # no floor: each image has its own frame
    return score


def _over(box: Box) -> np.ndarray:
    return count(np.array([[box.cx, box.cy, box.width, box.height]]), MASK_RESOLUTION)


def _mask_in_image(mask: torch.Tensor, frame: AffineFrame) -> torch.Tensor:
    """Place a mask `(1, 1, h, w)` of the frame over the image; returns `(h, w)`, 0 outside the frame."""
    return place_in_frame(mask, (mask.shape[-2], mask.shape[-1]), frame)[0, 0]


def move_box(box: Box, frame: AffineFrame) -> Box:
    """Move a box of an image to the anatomical frame: its centre is mapped and its sides are scaled.

    The sides stay parallel to the axes of the frame, so a rotated frame neither widens nor narrows the box.
    """
    left, top, right, bottom = box.edges
    corners = torch.tensor([(left, top), (right, top), (left, bottom), (right, bottom)], dtype=torch.float64)
    moved = frame.to_frame(corners)
    centre = moved.mean(dim=0)
    width = float((moved[1] - moved[0]).norm())
    height = float((moved[2] - moved[0]).norm())
    return replace(box, cx=float(centre[0]), cy=float(centre[1]), width=width, height=height)
