"""Drawing a place for a finding from the frequencies that an atlas records.

An atlas of probability maps records how many experts' boxes each map was learnt from, by side and zone: these are the
frequencies. Where one side stands for both (see `x2x_core.pseudomasks.learnt`), the sides are equally likely. Atlases
of masks record none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from x2x_core.common.randomness import uniform
from x2x_core.language.clauses import Clause
from x2x_core.language.open_places import open_attributes
from x2x_core.language.vocabulary import DRAWN_ZONES

from .atlas import PseudomaskAtlas
from .maps import Place

_SIDES = ("left", "right")


def box_counts(atlas: PseudomaskAtlas, finding: str) -> dict[Place, int]:
    """Return the number of boxes of a finding on each side, and in each zone of each side; empty if not recorded."""
    source = atlas.source_of(finding)
    if source.kind != "boxes":
        return {}
    recorded = atlas.metadata.get("categories", {}).get(source.name, {}).get("maps", {})
    places = [Place(side, zone) for side in _SIDES for zone in (None, *DRAWN_ZONES)]
    counts = {place: _count(recorded, source.name, place) for place in places}
    if any(counts[Place(side)] for side in _SIDES) and not all(counts[Place(side)] for side in _SIDES):
        counts = {place: counts[place] or counts[place.mirrored] for place in places}
    return {place: count for place, count in counts.items() if count}


def _count(recorded: Mapping[str, Any], category: str, place: Place) -> int:
    return int(recorded.get(place.key(category), {}).get("boxes", 0))


def draw_place(
    atlas: PseudomaskAtlas, clause: Clause, others: Sequence[Clause], generator: torch.Generator
) -> Clause | None:
    """Draw the side and zone that a clause leaves open.

    Args:
        atlas: its frequencies.
        clause: one that leaves something open.
        others: the other clauses of the instruction, whose places of the same finding are taken.
        generator: one number is drawn from it.

    Returns:
        The clause with its place; ``None`` if the atlas records no frequencies, or no place is free.
    """
    counts = box_counts(atlas, clause.finding)
    drawn = open_attributes(clause)
    sides = _SIDES if "side" in drawn else (clause.side,)
    zones = DRAWN_ZONES if "zone" in drawn else (clause.zone,)
    weights = {}
    for place in (Place(side, zone) for side in sides for zone in zones):
        placed = replace(clause, side=place.side, zone=place.zone)
        if not any(placed.overlaps(other) for other in others):
            weights[placed] = counts.get(place, 0 if "zone" in drawn else counts.get(Place(place.side), 0))
    position = uniform(0, 1, generator) * sum(weights.values())
    for placed, weight in weights.items():
        if position < weight:
            return placed
        position -= weight
    return None
