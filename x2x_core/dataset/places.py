"""Places as Medical-Diff-VQA writes them: "left lower lung area", "the lower and probably also middle lung".

The words of its areas come in any order ("to lower middle" for "middle to lower"), because its generator stores
them as a set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from x2x_core.common.errors import InputError
from x2x_core.language.tokens import Kind, read

_SILENT_KINDS = (Kind.FILLER, Kind.AND, Kind.TO, Kind.PREPOSITION)
# Words of its locations that the finding itself implies.
_SILENT = frozenset(["pleural", "rib", "ribs", "probably"])
# Words of its locations for which the instruction language has no zone.
_OUTSIDE = frozenset(["pericardial", "medial", "lateral", "soft", "tissue", "tissues"])
# Each zone with the zones that contain it: if both are named, the narrower one is meant.
_WITHIN = {
    "retrocardiac": ("basal", "lower"), "costophrenic": ("basal", "lower"), "basal": ("lower",), "apical": ("upper",),
    "hilar": ("perihilar",),
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Place:
    """A side and a zone of the patient's lungs; an empty text stands for all of them."""

    side: str = ""
    zone: str = ""

    def narrows(self, other: Place) -> bool:
        """Return True if this place lies within another one and is more specific."""
        zone = other.zone in ("", self.zone) or other.zone in _WITHIN.get(self.zone, ())
        return self != other and other.side in ("", self.side) and zone


def read_places(text: str) -> tuple[list[Place], tuple[str, ...]]:
    """Read the places of one area.

    Args:
        text: such as "left lung", "to lower middle" or "the right mid to lower hemithorax".

    Returns:
        One place for each zone, or one for the side alone, or no places if neither is named; and the words for which
        the instruction language has no place.

    Raises:
        InputError: a word is not known.
    """
    sides, zones, outside = [], [], []
    for token in read(text):
        if token.kind is Kind.SIDE:
            sides.append(token.name)
        elif token.kind is Kind.ZONE:
            zones.append(token.name)
        elif token.text in _OUTSIDE:
            outside.append(token.text)
        elif token.kind not in _SILENT_KINDS and token.text not in _SILENT:
            raise InputError(f"{token.text!r} is not a known location")
    side = _side(sides)
    places = [Place(side, zone) for zone in zones] or ([Place(side)] if side else [])
    return narrowest(places), tuple(outside)


def read_all_places(text: str) -> tuple[list[Place], tuple[str, ...]]:
    """Read the places of several areas, as in "left lower area and right upper area"; see `read_places`."""
    areas = [read_places(area) for area in re.split(r"(?<=area) and ", text.lower())]
    outside = tuple(word for _, words in areas for word in words)
    return narrowest(place for places, _ in areas for place in places), outside


def _side(sides: list[str]) -> str:
    """Return the one side named, "bilateral" for both, or an empty text."""
    named = set(sides) - {"bilateral"} or set(sides)
    return named.pop() if len(named) == 1 else ("bilateral" if named else "")


def narrowest(places: Iterable[Place]) -> list[Place]:
    """Remove places that others narrow down, and join left and right of the same zone to bilateral."""
    places = list(dict.fromkeys(places))
    kept = [place for place in places if not any(other.narrows(place) for other in places)]
    both = {place.zone for place in kept if {Place("left", place.zone), Place("right", place.zone)} <= set(kept)}
    joined = [Place("bilateral", place.zone) if place.zone in both and place.side else place for place in kept]
    return list(dict.fromkeys(joined))
