"""Pairs of one film: the film with and without lesions, and the instruction between the two."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from x2x_core.imaging.canvas import Canvas
from x2x_core.simulation.pairs import SimulatedPair
from x2x_core.simulation.scenario import Scenario, sample_scenario
from x2x_core.simulation.settings import ANY_RESTING, Resting

from .chest import FilmChest
from .lesions import draw_lesions

#: Draws of a scenario before a film counts as one that shows every finding already.
_MOST_DRAWS = 200


def simulate_film_pairs(
    chest: FilmChest,
    generator: torch.Generator,
    *,
    pairs: int,
    size: int,
    version: str,
    resting: Resting = ANY_RESTING,
    shown: frozenset[str] = frozenset(),
) -> list[SimulatedPair]:
    """Draw scenarios on a film and return their pairs.

    A removal starts from the film with the lesion, so that its truth is the real film.

    Args:
        chest: the film and its anatomy; lesions are drawn at its own resolution.
        generator: draws scenarios and lesions.
        pairs: number of pairs.
        size: side length of the pairs in pixels; the film is fitted into the square.
        version: wording, see `x2x_core.simulation.scenario.sample_scenario`.
        resting: findings that may be present without changing.
        shown: findings that the film shows already, which are not drawn on it.
    """
    made = []
    for _ in range(pairs):
        scenario = _draw_scenario(generator, version, resting, shown)
        if scenario is None:
            break
        made.append(draw_pair(chest, scenario, size))
    return made


def _draw_scenario(
    generator: torch.Generator, version: str, resting: Resting, shown: frozenset[str]
) -> Scenario | None:
    for _ in range(_MOST_DRAWS):
        scenario = sample_scenario(generator, version, resting)
        if not shown & {lesion.finding for lesion in (*scenario.before, *scenario.after)}:
            return scenario
    return None


def draw_pair(chest: FilmChest, scenario: Scenario, size: int) -> SimulatedPair:
    """Draw the lesions before and after a change on a film.

    Args:
        chest: the film and its anatomy.
        scenario: the lesions.
        size: side length of the pair in pixels.
    """
    canvas = Canvas.square(chest.shape, size, 1)

    def place(field: np.ndarray) -> torch.Tensor:
        return canvas.place(torch.from_numpy(np.ascontiguousarray(field, np.float32))[None, None])[0]

    before, after = (place(draw_lesions(chest, lesions)).clamp(0, 1) for lesions in (scenario.before, scenario.after))
    structures = (chest.lungs["right"].mask, chest.lungs["left"].mask, chest.mediastinum)
    masks = torch.cat([place(mask) for mask in structures]) > 0.5
    attributes: dict[str, Any] = {
        "geometry": {},
        "film": {"mm": chest.mm, "air": chest.air, "tissue": chest.tissue, "lung_confidence": chest.confidence},
        "before": [vars(lesion) for lesion in scenario.before],
        "after": [vars(lesion) for lesion in scenario.after],
    }
    return SimulatedPair(before, after, after - before, masks, scenario.instruction, attributes)
