"""Places as Medical-Diff-VQA writes them: "left lower lung area", "the lower and probably also middle lung".

The words of its areas come in any order ("to lower middle" for "middle to lower"), since its generator keeps them as
a set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from x2x_core.common.errors import InputError
from x2x_core.language.tokens import Kind, read

_SILENT_KINDS = (Kind.FILLER, Kind.AND, Kind.TO, Kind.PREPOSITION)
# Words of its locations that say no more than the finding itself does.
_SILENT = frozenset(["pleural", "rib", "ribs", "probably"])
# Words of its locations that the instruction language has no zone for.
_OUTSIDE = frozenset(["pericardial", "medial", "lateral", "soft", "tissue", "tissues"])
# A zone and those that it lies in: of both, the narrower one is meant.
_WITHIN = {
    "retrocardiac": ("basal", "lower"), "costophrenic": ("basal", "lower"), "basal": ("lower",), "apical": ("upper",),
    "hilar": ("perihilar",),
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Place:
    """A side and a zone of the patient's lungs; an empty text is all of them."""

    side: str = ""
    zone: str = ""

    def narrows(self, other: Place) -> bool:
        """Whether it says what the other says and more."""
        zone = other.zone in ("", self.zone) or other.zone in _WITHIN.get(self.zone, ())
        return self != other and other.side in ("", self.side) and zone


def read_places(text: str) -> tuple[list[Place], tuple[str, ...]]:
    """The places that one area names, and its words that the instruction language has no place for.

    Args:
        text: such as "left lung", "to lower middle" or "the right mid to lower hemithorax".

    Returns:
        One place for each zone, or one for the side alone; none where neither is named.

    Raises:
        InputError: a word is not known.
    """
    sides, zones, outside = [], [], []
    for token in read(text):
        if token.kind is Kind.SIDE:
            sides.append(token.value)
        elif token.kind is Kind.ZONE:
            zones.append(token.value)
        elif token.text in _OUTSIDE:
            outside.append(token.text)
        elif token.kind not in _SILENT_KINDS and token.text not in _SILENT:
            raise InputError(f"{token.text!r} is no place")
    side = _side(sides)
    places = [Place(side, zone) for zone in zones] or ([Place(side)] if side else [])
    return narrowest(places), tuple(outside)


def read_all_places(text: str) -> tuple[list[Place], tuple[str, ...]]:
    """The places of several areas, as in "left lower area and right upper area"."""
    found = [read_places(area) for area in re.split(r"(?<=area) and ", text.lower())]
    outside = tuple(word for _, words in found for word in words)
    return narrowest(place for places, _ in found for place in places), outside


def _side(sides: list[str]) -> str:
    named = set(sides) - {"bilateral"} or set(sides)
    return named.pop() if len(named) == 1 else ("bilateral" if named else "")


def narrowest(places: Iterable[Place]) -> list[Place]:
    """Places without those that others narrow down, left and right of the same as both."""
    places = list(dict.fromkeys(places))
    kept = [place for place in places if not any(other.narrows(place) for other in places)]
    both = {place.zone for place in kept if {Place("left", place.zone), Place("right", place.zone)} <= set(kept)}
    joined = [Place("bilateral", place.zone) if place.zone in both and place.side else place for place in kept]
    return list(dict.fromkeys(joined))
