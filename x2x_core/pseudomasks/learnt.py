"""The probability maps of an atlas: by finding, side and zone, with mirror images where only one side was learnt."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from x2x_core.anatomy.sites import ZONE_BANDS
from x2x_core.common.errors import InputError

from .maps import Place, ProbabilityMap


class LearntMaps:
    """Probability maps by name (see `Place.key`), and the masks cut from them.

    Args:
        maps: map names, such as "Effusion/right/lower", to probability maps.

    Raises:
        InputError: a name that is not a category with a map of its own, a side and a zone band.
    """

    def __init__(self, maps: Mapping[str, ProbabilityMap]) -> None:
        self.maps = {name: maps[name] for name in sorted(maps)}
        self._masks: dict[str, torch.Tensor] = {}  # cut on first use
        for name in self.maps:
            self._check_name(name)

    def __bool__(self) -> bool:
        return bool(self.maps)

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories with a map of their own, in alphabetical order."""
        return tuple(name for name in self.maps if "/" not in name)

    def probability(self, category: str, place: Place) -> torch.Tensor | None:
        """Return the probability `(h, w)` in [0, 1] over the anatomical frame; ``None`` if the place was not learnt."""
        found = self._find(category, place)
        if found is None:
            return None
        name, mirrored = found
        probability = self.maps[name].probability()
        return probability.flip(-1) if mirrored else probability

    def mask(self, category: str, place: Place) -> torch.Tensor | None:
        """Return the soft mask `(h, w)` in [0, 1] of a place; ``None`` if the place was not learnt."""
        found = self._find(category, place)
        if found is None:
            return None
        name, mirrored = found
        if name not in self._masks:
            self._masks[name] = self.maps[name].mask()
        return self._masks[name].flip(-1) if mirrored else self._masks[name]

    def _find(self, category: str, place: Place) -> tuple[str, bool] | None:
        """Return the name of a place's map, and whether its mirror image is meant; ``None`` if there is none.

        The mirror image stands in only if one side was learnt for both: where the sides were learnt apart, a missing
        one has no boxes.
        """
        if place.key(category) in self.maps:
            return place.key(category), False
        known = {Place(side).key(category) in self.maps for side in ("left", "right")}
        mirrored = place.mirrored.key(category)
        if place.side is not None and known == {True, False} and mirrored in self.maps:
            return mirrored, True
        return None

    def _check_name(self, name: str) -> None:
        category = name.split("/")[0]
        sides = (None, "left", "right", "bilateral")
        places = {Place(side, zone).key(category) for side in sides for zone in (None, *ZONE_BANDS)}
        if category not in self.maps or name not in places:
            raise InputError(
                f"`maps` must name a finding that has a map of its own, a side and a zone band, got {name!r}."
            )
