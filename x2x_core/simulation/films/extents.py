"""Extents: where on a film a lesion would change it, drawn without keeping the drawing."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch

from x2x_core.anatomy.lungs import LungMasks
from x2x_core.imaging.geometry import resize
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.levels import nearest_level
from x2x_core.language.vocabulary import COURSES
from x2x_core.simulation.findings import SIDED, SIMULATED_FINDINGS, ZONAL, ZONES, levels_of
from x2x_core.simulation.lesions import Lesion, draw_seed, draw_severity

from .chest import FilmChest, chest_around
from .fields import blur, grow
from .heart import FilmShift, heart_shift, shift_film, smaller_heart_shift
from .lesions import draw_lesions

#: Findings that are darker than the lung.
DARKER_FINDINGS = frozenset({"pneumothorax"})
_AIR_SHARE = 0.3  # of the greatest darkening, from which a pixel is in the pleural space
_PLEURA_MM = 3.0  # around it, where the visceral pleura may lie
_SMOOTH = 0.7  # pixels
#: Findings that move the film: ribs and vessels that are moved with the heart are no part of their extent.
MOVING_FINDINGS = frozenset({"cardiomegaly"})
_MOVED_MM = 3.0  # around a pixel, over which the change is averaged
_MOVED_SHARE = (0.12, 0.3)  # of the greatest average: from none of the change to all of it
#: Findings that are one body beside the lung: free fluid, which also hides the borders of heart and dome, and free air.
BODIES = frozenset({"pleural effusion", "pneumothorax"})
#: Findings that lie beside the lung too.
BEYOND_LUNG = frozenset({"pleural effusion", "edema"})  # edema with small effusions
_BESIDE_MM = 7.0  # how far all others reach over the tissue beside the lung
#: Longer side in pixels at which extents are drawn.
SIDE = 384
# Level of a lesion whose level is left open.
_OPEN_LEVEL = "moderate"
# The third of the lung of each zone in which opacities are drawn, and the zones in which fluid and air lie anyway.
_THIRD = {**{zone: zone for zone in ZONES}, "basal": "lower"}
_NATURAL = {"pleural effusion": ("lower", "basal", "costophrenic"), "pneumothorax": ("upper", "apical")}


def lesion_of(clause: Clause, generator: torch.Generator) -> Lesion | None:
    """Draw the lesion that a clause adds.

    Args:
        clause: of an instruction.
        generator: two numbers are drawn from it.

    Returns:
        The lesion; ``None`` if the clause leaves its place open, names a finding or a place that is not drawn, or one
        that is removed or changed and so lies where it is.
    """
    severity_seed, seed = draw_seed(generator), draw_seed(generator)
    if clause.operation is not Operation.ADD or not _is_drawn(clause):
        return None
    levels = levels_of(clause.finding)
    named = clause.level is not None and clause.level not in COURSES
    level = nearest_level(clause.level, levels) if named and clause.level else _OPEN_LEVEL
    severity = draw_severity(level, torch.Generator().manual_seed(severity_seed))
    zone = _THIRD[clause.zone] if clause.finding in ZONAL and clause.zone else None
    return Lesion(clause.finding, clause.side, zone, level, severity, seed)


def _is_drawn(clause: Clause) -> bool:
    """Return True if a clause names a finding that can be drawn where it says."""
    finding, side, zone = clause.finding, clause.side, clause.zone
    if finding not in SIMULATED_FINDINGS or (side is not None) != (finding in SIDED):
        return False
    return zone in _THIRD if finding in ZONAL else zone is None or zone in _NATURAL.get(finding, ())


def measure_small(grey: torch.Tensor, lungs: LungMasks) -> FilmChest:
    """Measure the chest of a film at the size of extents.

    Args:
        grey: `(1, 1, H, W)` in [0, 1].
        lungs: found on it, B = 1.

    Raises:
        UnsuitableFilmError: no lesion can be drawn on this film.
    """
    height, width = grey.shape[-2:]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = {name: resize(getattr(lungs, name), size) for name in ("right", "left", "right_whole", "left_whole")}
    return chest_around(resize(grey, size)[0, 0].clamp(0, 1).numpy(), replace(lungs, **small))


def lesion_extent(chest: FilmChest, lesion: Lesion) -> np.ndarray:
    """Return by how much a lesion would change each pixel of a film where it lies, `(H, W)` float32 in [-1, 1].

    A lesion makes the film brighter. Air in the pleural space makes it darker, which is below 0, and ends at the bright
    line of the visceral pleura. What becomes darker otherwise, because the lung moves, is left out, as are a dome that
    is drawn upwards, and what changes outside the lungs beside all but fluid.
    """
    return _shown_part(draw_lesions(chest, [lesion], raised=False) - chest.grey, lesion.finding, chest)


def lesion_shift(chest: FilmChest, lesion: Lesion) -> FilmShift | None:
    """Return how the film's pixels move; ``None``: they stay.

    An enlarged heart is the film's own, moved outwards. Other findings that move the lung are shown by what they add.
    """
    if lesion.finding not in MOVING_FINDINGS:
        return None
    generator = torch.Generator().manual_seed(lesion.seed)
    return heart_shift(chest, severity=lesion.severity, generator=generator)


def smaller_heart(chest: FilmChest) -> tuple[np.ndarray, FilmShift]:
    """Return what drawing the borders of a heart in changes.

    Returns:
        By how much it changes each pixel, `(H, W)` float32 in [-1, 0], and its shift, as `lesion_shift` returns it.
    """
    shift = smaller_heart_shift(chest)
    darker = chest.grey - shift_film(chest, chest.grey, shift)
    return -_shown_part(darker, "cardiomegaly", chest, beyond=True), shift


def _narrow(change: np.ndarray, width: float) -> np.ndarray:
    """Return the lines of a change `(H, W)` that are narrower than a width in pixels, without what is wide (a top hat).

    A collapsed lung is denser throughout, which would widen its pleural line to the band in which it is looked for.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(width / 2)) + 1,) * 2)
    return change - cv2.morphologyEx(np.asarray(change, np.float32), cv2.MORPH_OPEN, disc)


def _shown_part(change: np.ndarray, finding: str, chest: FilmChest, beyond: bool = False) -> np.ndarray:
    """Return the part of a change `(H, W)` that shows a finding, see `lesion_extent`; also `beyond` the lungs."""
    if finding in DARKER_FINDINGS:
        air = (-change).clip(0)
        beside = grow(air > _AIR_SHARE * air.max(), max(1, round(_PLEURA_MM / chest.mm)))
        return np.where(beside, _narrow(change.clip(0), _PLEURA_MM / chest.mm) - air, 0).astype(np.float32)
    shown = blur(change.clip(0), _SMOOTH)
    if finding in MOVING_FINDINGS:
        around = blur(shown, _MOVED_MM / chest.mm)
        shown = shown * ((around / around.max() - _MOVED_SHARE[0]) / (_MOVED_SHARE[1] - _MOVED_SHARE[0])).clip(0, 1)
    if finding not in BEYOND_LUNG and not beyond:
        lungs = chest.lungs["right"].mask | chest.lungs["left"].mask
        shown = shown * blur(grow(lungs, max(1, round(_BESIDE_MM / chest.mm))), _BESIDE_MM / 2 / chest.mm)
    return shown.astype(np.float32)
