"""The part of a patient's chest that a finding can reach, from the lungs found in the image.

Lengths are shares of the height of the taller lung. Each region is grown by a margin, since an outline has an error and
a change has soft edges. docs/guidance.md says how much of the true change of simulated pairs lies inside.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.vocabulary import COURSES, FINDINGS, level_rank

from .frame import Frame
from .landmarks import TYPICAL_FIELDS
from .lung_masks import INSIDE, LungMasks
from .sites import soften

_VIEW = 256  # longer side in pixels at which regions are drawn
_EDGE = 0.02  # width of a region's soft edge, share of the image's longer side

_MARGIN = 0.05
_BELOW_DOME = 0.2  # how far fluid lies behind the dome, below the lung
# How far a removal may reach below the dome's line: its error, and more where fluid or a large heart hides the dome.
_UNDER_DOME = 0.03
_UNDER_HIDDEN_DOME = 0.08
_HEART_TOP, _HEART_GROWTH = 0.35, 0.1  # of the heart's box: below the apices, and beyond the borders that were found
_HEART_LEVELS = (0.5, 0.95)  # where the borders of the heart are looked for, from apex to base
# Width of a pneumothorax's band, from the chest wall inwards, up to a rank of level, and for no level. The lung draws
# back and its markings change over about twice the width of the air itself.
_BANDS = ((1.5, 0.28), (2.5, 0.31), (3.5, 0.34))
_WIDEST_BAND = 0.38


class Chest:
    """The lung fields of one patient, `(h, w)` bool by side at `_VIEW` pixels.

    Args:
        lungs: B = 1, both found.
        frame: fitted to them.
    """

    def __init__(self, lungs: LungMasks, frame: Frame) -> None:
        scale = min(1.0, _VIEW / max(lungs.size))
        self.image_size = lungs.size
        self.size = tuple(max(1, round(side * scale)) for side in lungs.size)
        masks = {"right": (lungs.right, lungs.right_whole), "left": (lungs.left, lungs.left_whole)}
        self.fields = {side: _small(field, self.size) for side, (field, _) in masks.items()}
        self.whole = {side: _small(field, self.size) | self.fields[side] for side, (_, field) in masks.items()}
        self.typical = {side: _placed(TYPICAL_FIELDS[side], frame, self.size) for side in masks}
        self.height = max(np.ptp(np.flatnonzero(field.any(1))) + 1 for field in self.fields.values())

    def pixels(self, share: float) -> int:
        """Return a share of the lungs' height in pixels."""
        return round(share * float(self.height))


def chest_of(lungs: LungMasks, frame: Frame) -> Chest | None:
    """Return the lung fields of one patient; ``None`` if a lung is missing.

    Args:
        lungs: of the image, B = 1.
        frame: fitted to the lungs.
    """
    return Chest(lungs, frame) if all((field > INSIDE).any() for field in (lungs.right, lungs.left)) else None


def finding_bounds(chest: Chest, clause: Clause) -> torch.Tensor | None:
    """Return the part of the chest that a clause's finding can reach in this patient.

    A removal never reaches below the dome of the diaphragm. If the finding to remove or change hides a part of a lung,
    the lung of the typical chest, placed by the frame, stands for it.

    Args:
        chest: of the patient.
        clause: its finding, side, zone and level.

    Returns:
        `(1, 1, H, W)` float32 in [0, 1] at the image's size, soft as `x2x_core.anatomy.sites.soften`; ``None`` if the
        finding is not bounded by lungs or heart (see `Finding.bounds`).
    """
    bounds = FINDINGS[clause.finding].bounds
    if bounds is None:
        return None
    region = _REGIONS[bounds](chest, clause)
    if clause.operation is Operation.REMOVE:
        region &= _above_dome(chest, _UNDER_HIDDEN_DOME if bounds in ("pleural space", "heart") else _UNDER_DOME)
    soft = torch.from_numpy(soften(region, _EDGE))[None, None]
    return F.interpolate(soft, chest.image_size, mode="bilinear", align_corners=False).clamp(0, 1)


def _lungs(chest: Chest, clause: Clause) -> np.ndarray:
    """Return the lungs of the clause's sides; behind the heart only if that is the zone."""
    fields = chest.whole if clause.zone == "retrocardiac" else chest.fields
    region = np.zeros(chest.size, bool)
    for side in _sides(clause):
        hidden = clause.operation is not Operation.ADD
        region |= _hull(fields[side] | chest.typical[side]) if hidden else fields[side]
    return _grow(region, chest.pixels(_MARGIN))


def _pleural_band(chest: Chest, clause: Clause) -> np.ndarray:
    """Return a band along apex and lateral wall, as wide as the level says."""
    region = np.zeros(chest.size, bool)
    width = chest.pixels(_band_width(clause) + _MARGIN)
    for side in _sides(clause):
        lung = _grow(_hull(chest.fields[side]), chest.pixels(_MARGIN))
        region |= lung & (_depth_from_wall(lung, side) <= width)
    return region


def _band_width(clause: Clause) -> float:
    """Return the band's width of the largest of the levels before and after."""
    levels = [level for level in (clause.level, clause.level_from) if level and level not in COURSES]
    if not levels or (clause.operation is Operation.CHANGE and len(levels) < 2):
        return _WIDEST_BAND
    rank = max(map(level_rank, levels))
    return next((width for highest, width in _BANDS if rank <= highest), _WIDEST_BAND)


def _pleural_space(chest: Chest, clause: Clause) -> np.ndarray:
    """Return the lungs with their angles and what lies behind the domes."""
    region = np.zeros(chest.size, bool)
    for side in _sides(clause):
        lung = _hull(chest.fields[side] | chest.typical[side])
        filled = lung.copy()
        for shift in range(1, chest.pixels(_BELOW_DOME) + 1):
            filled[shift:] |= lung[:-shift]
        region |= filled
    return _grow(region, chest.pixels(_MARGIN))


def _heart(chest: Chest, clause: Clause) -> np.ndarray:
    """Return the heart's box, from border to border, grown."""
    rows = np.flatnonzero((chest.fields["right"] | chest.fields["left"]).any(1))
    first, last = (round(rows[0] + level * chest.height) for level in _HEART_LEVELS)
    right = [np.flatnonzero(row)[-1] for row in chest.fields["right"][first:last] if row.any()]
    left = [np.flatnonzero(row)[0] for row in chest.fields["left"][first:last] if row.any()]
    region = np.zeros(chest.size, bool)
    if right and left:
        growth = chest.pixels(_HEART_GROWTH)
        borders = slice(max(0, round(np.quantile(right, 0.1)) - growth), round(np.quantile(left, 0.9)) + growth + 1)
        region[rows[0] + chest.pixels(_HEART_TOP) : rows[-1] + growth + 1, borders] = True
    return region


_REGIONS: dict[str, Callable[[Chest, Clause], np.ndarray]] = {
    "lungs": _lungs,
    "pleural band": _pleural_band,
    "pleural space": _pleural_space,
    "heart": _heart,
}


def _above_dome(chest: Chest, slack: float) -> np.ndarray:
    """Return everything above the domes, whose line runs straight between and beside the lungs.

    Where a lung ends at the heart's border instead, the dome is as low as in most of its columns.
    """
    bottoms = np.full(chest.size[1], -1)
    for side in ("right", "left"):
        lung = chest.fields[side] | chest.typical[side]
        covered = lung.any(0)
        lowest = len(lung) - 1 - lung[::-1].argmax(0)
        lowest = np.where(covered, np.maximum(lowest, int(np.median(lowest[covered]))), -1)
        bottoms = np.maximum(bottoms, lowest)
    columns = np.flatnonzero(bottoms >= 0)
    line = np.interp(np.arange(chest.size[1]), columns, bottoms[columns]) + chest.pixels(slack)
    return np.arange(chest.size[0])[:, None] <= line


def _depth_from_wall(lung: np.ndarray, side: str) -> np.ndarray:
    """Return the distance of pixels from apex and chest wall; the mediastinal border and the dome do not count."""
    rows = np.flatnonzero(lung.any(1))
    open_lung = lung.copy()
    for row in rows:
        columns = np.flatnonzero(lung[row])
        inner = slice(columns[0], None) if side == "right" else slice(None, columns[-1] + 1)
        open_lung[row, inner] = True
    widest = rows[0] + int(lung[rows].sum(1).argmax())
    open_lung[widest:] = open_lung[widest]
    padded = np.pad(open_lung.astype(np.uint8), 1, mode="edge")
    return cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]


def _sides(clause: Clause) -> tuple[str, ...]:
    return (clause.side,) if clause.side in ("left", "right") else ("right", "left")


def _small(mask: torch.Tensor, size: tuple[int, ...]) -> np.ndarray:
    values = np.ascontiguousarray(mask[0, 0].numpy())
    return np.asarray(cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA)) > INSIDE


def _placed(outline: tuple[tuple[float, float], ...], frame: Frame, size: tuple[int, ...]) -> np.ndarray:
    points = frame.to_image(torch.tensor(outline, dtype=torch.float64)).numpy() * (size[1], size[0]) - 0.5
    canvas = np.zeros(size, np.uint8)
    cv2.fillPoly(canvas, [np.round(points).astype(np.int32)], 1)
    return canvas > 0


def _hull(mask: np.ndarray) -> np.ndarray:
    canvas = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(canvas, cv2.convexHull(cv2.findNonZero(mask.astype(np.uint8))), 1)
    return canvas > 0


def _grow(mask: np.ndarray, radius: int) -> np.ndarray:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), disc) > 0
