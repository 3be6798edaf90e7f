"""Every finding that can be drawn on a film."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from x2x_core.simulation.lesions import Lesion

from . import opacities
from .atelectasis import draw_atelectasis
from .chest import FilmChest
from .edema import draw_edema
from .effusion import draw_effusion
from .heart import draw_cardiomegaly
from .parenchyma import without_metal
from .pneumothorax import draw_pneumothorax

_OPACITIES = {
    "consolidation": opacities.CONSOLIDATION,
    "lung opacity": opacities.GROUND_GLASS,
    "pneumonia": opacities.PNEUMONIA,
}
_ONE_SIDE = {"pleural effusion": draw_effusion, "pneumothorax": draw_pneumothorax}
_WHOLE_CHEST = {"edema": draw_edema, "cardiomegaly": draw_cardiomegaly}


def draw_lesions(chest: FilmChest, lesions: Sequence[Lesion], *, raised: bool = True) -> np.ndarray:
    """Draw lesions on a film, one after another, behind its leads, electrodes, wires and clips, which stay.

    Args:
        chest: the film and its anatomy.
        lesions: what to draw, in order.
        raised: atelectasis draws the dome upwards.

    Returns:
        The film with them, `(H, W)` float32 in [0, 1]; without lesions, the film itself.
    """
    grey = bare = without_metal(chest)
    for lesion in lesions:
        for side in ("right", "left") if lesion.side == "bilateral" else (lesion.side,):
            grey = _draw(chest, grey, lesion, side, raised)
    return (chest.grey + (grey - bare)).clip(0, 1).astype(np.float32)


def _draw(chest: FilmChest, grey: np.ndarray, lesion: Lesion, side: str | None, raised: bool) -> np.ndarray:
    finding, severity = lesion.finding, lesion.severity
    generator = torch.Generator().manual_seed(lesion.seed)
    if finding in _WHOLE_CHEST:
        return _WHOLE_CHEST[finding](chest, grey, severity=severity, generator=generator)
    if side is None:
        raise ValueError(f"A lesion of {finding} has a side, but this one has none: {lesion}.")
    if finding in _ONE_SIDE:
        return _ONE_SIDE[finding](chest, grey, side=side, severity=severity, generator=generator)
    if lesion.zone is None:
        raise ValueError(f"A lesion of {finding} has a zone, but this one has none: {lesion}.")
    place = {"side": side, "zone": lesion.zone}
    if finding == "atelectasis":
        return draw_atelectasis(chest, grey, **place, severity=severity, generator=generator, raised=raised)
    kind = _OPACITIES[finding]
    return opacities.draw_opacity(chest, grey, kind, **place, severity=severity, generator=generator)
