"""The chest on a film: its lungs, domes, scale and grey levels, measured for drawing lesions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
import torch

from x2x_core.anatomy.lungs import LungFinder, LungMasks
from x2x_core.imaging.continuation import continue_field

from .fields import blur, distance_inside, grow

SIDES = ("right", "left")
#: Height of an adult's lungs on a frontal film at full inspiration, in mm; sets the scale of a film.
LUNG_HEIGHT_MM = 270.0
#: Confidence of the lung finder under which a film is left out.
LEAST_CONFIDENCE = 0.8
#: Contrast between soft tissue and lung under which a film is left out, in grey levels of [0, 1].
LEAST_CONTRAST = 0.12
_INSIDE = 0.5  # probability from which a pixel counts as lung
_LEAST_TISSUE = 0.85  # share of the way from lung to soft tissue that the tissue field reaches everywhere


class Unsuitable(StrEnum):
    """Reasons for leaving a film out."""

    LUNGS = "lungs not found with confidence"
    PROPORTIONS = "lungs not of an upright frontal chest"
    CONTRAST = "too little contrast between lung and soft tissue"


class UnsuitableFilmError(Exception):
    """A film on which no lesion can be drawn.

    Args:
        reason: why.
    """

    def __init__(self, reason: Unsuitable) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class FilmLung:
    """One lung on a film; rows count downwards.

    Right and left are the patient's: the right lung is on the left of the film.
    """

    side: str
    soft: np.ndarray  # (H, W) float32 in [0, 1]: probability of lung
    mask: np.ndarray  # (H, W) bool
    apex: int  # first row
    base: int  # last row: the deepest point of the costophrenic angle
    dome: np.ndarray  # (W,) last row of each column; -1 where a column has no lung

    @property
    def height(self) -> int:
        """Rows from apex to base."""
        return self.base - self.apex

    @property
    def hilum(self) -> tuple[float, float]:
        """Row and column where the bronchi enter: on the medial border, a little above the middle."""
        row = self.apex + 0.46 * self.height
        columns = np.flatnonzero(self.mask[int(row)])
        return row, float(columns[-1] if self.side == "right" else columns[0])

    @property
    def medial_edge(self) -> int:
        """Column that comes nearest to the other lung."""
        columns = np.flatnonzero(self.mask.any(axis=0))
        return int(columns[-1] if self.side == "right" else columns[0])

    def zone_rows(self, zone: str) -> tuple[float, float]:
        """First and last row of the upper, middle or lower zone, thirds of the lung's height that overlap a little."""
        low, high = {"upper": (0.02, 0.38), "middle": (0.34, 0.66), "lower": (0.62, 1.0)}[zone]
        return self.apex + low * self.height, self.apex + high * self.height


@dataclass(frozen=True)
class FilmChest:
    """A film ready for lesions."""

    grey: np.ndarray  # (H, W) float32 in [0, 1]; bright is dense
    lungs: dict[str, FilmLung]
    mediastinum: np.ndarray  # (H, W) bool: between the lungs
    mm: float  # millimetres per pixel
    air: float  # grey of aerated lung
    tissue: float  # grey of soft tissue beside the heart's border and under the domes
    tissue_sources: np.ndarray  # (H, W) bool: soft tissue without lung
    tissue_field: np.ndarray  # (H, W) float32: its grey, carried into the lungs from the tissue that is nearest
    confidence: float  # of the lung finder
    known: dict[str, np.ndarray] = field(init=False, default_factory=dict, repr=False, compare=False)

    def once(self, name: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return a field that depends on this chest alone, computed at the first use of its name.

        Several lesions on one film, such as those of several edits, share it; nobody writes into it.
        """
        if name not in self.known:
            self.known[name] = compute()
        return self.known[name]

    @cached_property
    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each pixel, each `(H, W)` float32."""
        rows, columns = np.mgrid[: self.grey.shape[0], : self.grey.shape[1]].astype(np.float32)
        return rows, columns

    @cached_property
    def brightest_tissue(self) -> float:
        """Grey that only 2 % of the mediastinum exceed."""
        return float(np.percentile(self.grey[self.mediastinum], 98)) if self.mediastinum.any() else self.tissue

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.grey.shape[0], self.grey.shape[1]

    def depth(self, side: str) -> np.ndarray:
        """Return the distance from the lung's outline, `(H, W)` in mm, 0 outside."""
        return self.once(f"depth {side}", lambda: distance_inside(self.lungs[side].mask) * self.mm)

    def wall_distance(self, side: str) -> np.ndarray:
        """Return the distance from the chest wall, `(H, W)` in mm.

        The lung is first closed towards the mediastinum and downwards, so that only the costal pleura counts.
        """
        return self.once(f"wall distance {side}", lambda: self._wall_distance(side))

    def _wall_distance(self, side: str) -> np.ndarray:
        inside = self.lungs[side].mask
        towards = inside if side == "right" else inside[:, ::-1]
        closed = np.maximum.accumulate(towards, axis=1)
        closed = closed if side == "right" else closed[:, ::-1]
        closed = np.maximum.accumulate(closed, axis=0)
        return distance_inside(closed) * self.mm

    def ceiling(self, share: float) -> float:
        """Return the grey at a share of the way from aerated lung to soft tissue."""
        return self.air + share * (self.tissue - self.air)


def measure_chest(grey: np.ndarray, finder: LungFinder) -> FilmChest:
    """Find the chest on a film.

    Args:
        grey: `(H, W)` float32 in [0, 1], a frontal radiograph, bright for dense.
        finder: finds the lungs.

    Raises:
        UnsuitableFilmError: no lesion can be drawn on this film; the error has the reason.
    """
    return chest_around(grey, finder.find(torch.from_numpy(grey)[None, None]))


def chest_around(grey: np.ndarray, found: LungMasks) -> FilmChest:
    """Measure the chest around the lungs found on a film.

    Args:
        grey: `(H, W)` float32 in [0, 1], a frontal radiograph, bright for dense.
        found: its lungs, B = 1, at the film's size.

    Raises:
        UnsuitableFilmError: no lesion can be drawn on this film; the error has the reason.
    """
    confidence = float(found.confidence[0])
    if confidence < LEAST_CONFIDENCE:
        raise UnsuitableFilmError(Unsuitable.LUNGS)
    lungs = {side: _lung(side, getattr(found, side)[0, 0].numpy()) for side in SIDES}
    _check_proportions(lungs)
    both = lungs["right"].mask | lungs["left"].mask
    rows = np.flatnonzero(both.any(axis=1))
    mm = LUNG_HEIGHT_MM / (rows[-1] - rows[0])
    mediastinum = _between(lungs["right"].mask, lungs["left"].mask)
    air = float(np.percentile(grey[both], 15))
    beside_heart = mediastinum.copy()
    beside_heart[: rows[0] + int(0.45 * (rows[-1] - rows[0]))] = False
    tissue = float(np.percentile(grey[beside_heart if beside_heart.sum() > 50 else ~both], 60))
    if tissue - air < LEAST_CONTRAST:
        raise UnsuitableFilmError(Unsuitable.CONTRAST)
    least = air + _LEAST_TISSUE * (tissue - air)
    sources = _tissue_sources(lungs, mediastinum, mm)
    carried = _tissue_field(grey, sources, tissue, least, mm)
    return FilmChest(grey, lungs, mediastinum, mm, air, tissue, sources, carried, confidence)


def _lung(side: str, soft: np.ndarray) -> FilmLung:
    mask = soft > _INSIDE
    if not mask.any():
        raise UnsuitableFilmError(Unsuitable.LUNGS)
    rows = np.flatnonzero(mask.any(axis=1))
    last = mask.shape[0] - 1 - mask[::-1].argmax(axis=0)
    dome = np.where(mask.sum(axis=0) > 0.02 * mask.shape[0], last, -1)
    return FilmLung(side, soft.astype(np.float32), mask, int(rows[0]), int(rows[-1]), dome)


def _check_proportions(lungs: dict[str, FilmLung]) -> None:
    """Leave out films that are turned, cut off or not frontal.

    Raises:
        UnsuitableFilmError: the lungs lie in the wrong order, or differ too much in height, level or area.
    """
    right, left = lungs["right"], lungs["left"]
    areas = sorted((right.mask.sum(), left.mask.sum()))
    heights = sorted((right.height, left.height))
    columns = [np.flatnonzero(lung.mask.any(axis=0)).mean() for lung in (right, left)]
    apart = abs(right.apex - left.apex) + abs(right.base - left.base)
    upright = columns[0] < columns[1] and heights[0] > 0.25 * right.mask.shape[0]
    if not upright or areas[0] < 0.4 * areas[1] or heights[0] < 0.65 * heights[1] or apart > 0.45 * heights[1]:
        raise UnsuitableFilmError(Unsuitable.PROPORTIONS)


def _between(right: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return the pixels between the lungs, row by row, `(H, W)` bool."""
    from_right = np.maximum.accumulate(right, axis=1)
    from_left = np.maximum.accumulate(left[:, ::-1], axis=1)[:, ::-1]
    return from_right & from_left & ~right & ~left & right.any(axis=1, keepdims=True) & left.any(axis=1, keepdims=True)


def _tissue_sources(lungs: dict[str, FilmLung], mediastinum: np.ndarray, mm: float) -> np.ndarray:
    """Return the pixels that show soft tissue without lung: the lower mediastinum, and beneath the domes."""
    rows = np.arange(mediastinum.shape[0])[:, None]
    top = min(lung.apex for lung in lungs.values())
    height = max(lung.base for lung in lungs.values()) - top
    sources = mediastinum & (rows > top + 0.25 * height)
    for lung in lungs.values():
        dome = lung.dome[None]
        sources |= (dome >= 0) & (rows >= dome + 5 / mm) & (rows < dome + 40 / mm)
    return grow(sources, -max(1, int(2.5 / mm)))


def _tissue_field(grey: np.ndarray, sources: np.ndarray, tissue: float, least: float, mm: float) -> np.ndarray:
    """Carry the grey of soft tissue into the lungs."""
    sigmas = [reach / mm for reach in (70, 35, 18, 9)]
    carried = continue_field(grey, sources.astype(np.float32), np.full_like(grey, tissue), sigmas, 0.12)
    return blur(carried, 3 / mm).clip(least)
