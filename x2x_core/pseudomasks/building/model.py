"""The statistical model of boxes by finding, side and zone, from which an atlas is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from x2x_core.anatomy.sites import ZONE_BANDS, location_window
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.pseudomasks.maps import Place

from .boxes import Box
from .smoothing import Smoothing, smooth

SIGNIFICANCE = 0.01  # of the test for a preferred side
WINDOW_SPREAD = 0.08  # sigma of the Gaussian that smooths the window of a zone, share of the image's height
THIRDS = ("upper", "middle", "lower")

_ONE_SIDE = ("right", "left")
_RIGHT, _LEFT, _BOTH = 1, 2, 0
_SIDE_CODES = {"right": _RIGHT, "left": _LEFT, "bilateral": _BOTH}


@dataclass(frozen=True)
class BoxGroup:
    """Boxes of one finding as arrays."""

    rectangles: np.ndarray  # (n, 4) centre x, centre y, width, height
    sides: np.ndarray  # (n,) codes; _BOTH: across the midline
    zones: np.ndarray  # (n, len(ZONE_BANDS)) bool
    patients: np.ndarray  # (n,) of str

    def __len__(self) -> int:
        return len(self.rectangles)

    @classmethod
    def of(cls, boxes: Sequence[Box]) -> BoxGroup:
        """Collect boxes into arrays."""
        rectangles = np.array([(b.cx, b.cy, b.width, b.height) for b in boxes], np.float64).reshape(-1, 4)
        sides = np.array([_SIDE_CODES[box.side or "bilateral"] for box in boxes], np.int8)
        zones = np.array([[zone in box.zones for zone in ZONE_BANDS] for box in boxes], bool)
        return cls(rectangles, sides, zones.reshape(-1, len(ZONE_BANDS)), np.array([b.patient_id for b in boxes], str))

    def select(self, mask: np.ndarray) -> BoxGroup:
        """Return the boxes for which a mask `(n,)` is True."""
        return BoxGroup(self.rectangles[mask], self.sides[mask], self.zones[mask], self.patients[mask])

    def at(self, place: Place) -> np.ndarray:
        """Return a mask `(n,)` of the boxes in a place; a box across the midline is "bilateral" and on neither side."""
        chosen = np.ones(len(self), bool) if place.side is None else self.sides == _SIDE_CODES[place.side]
        return chosen if place.zone is None else chosen & self.zones[:, list(ZONE_BANDS).index(place.zone)]

    def flipped(self) -> BoxGroup:
        """Return the mirror images of these boxes."""
        rectangles = self.rectangles * (-1, 1, 1, 1) + (1, 0, 0, 0)
        swapped = np.array([_BOTH, _LEFT, _RIGHT], np.int8)[self.sides]
        return BoxGroup(rectangles, swapped, self.zones, self.patients)

    def with_mirror(self) -> BoxGroup:
        """Return these boxes and their mirror images."""
        return join([self, self.flipped()])


def join(groups: Sequence[BoxGroup]) -> BoxGroup:
    """Join several groups into one."""
    names = ("rectangles", "sides", "zones", "patients")
    return BoxGroup(*(np.concatenate([getattr(group, name) for group in groups]) for name in names))


def group_boxes(boxes: Iterable[Box], pools: Mapping[str, Sequence[str]]) -> dict[str, list[Box]]:
    """Group boxes by category, in alphabetical order; categories without boxes are pooled from others.

    Within a category the boxes are sorted by their values, so that the order of the tables does not matter.
    """
    groups: dict[str, list[Box]] = {}
    for box in boxes:
        groups.setdefault(box.category, []).append(box)
    pooled = {name: [box for part in parts for box in groups.get(part, [])] for name, parts in pools.items()}
    groups.update({name: members for name, members in pooled.items() if members and name not in groups})
    return {name: sorted(groups[name], key=_order) for name in sorted(groups)}


def _order(box: Box) -> tuple:
    return (box.category, box.image_id, box.cx, box.cy, box.width, box.height)


def has_sides(category: str) -> bool:
    """Return True if findings of a category have a side: all but those of midline organs."""
    return all(finding.lateral for finding in FINDINGS.values() if finding.category == category)


def side_preference(group: BoxGroup) -> float:
    """Test whether a finding prefers a side; returns the p-value, in [0, 1].

    The exact two-sided sign test (binomial, one half) over patients: each counts once, for the side on which most of
    its boxes are centred; patients with equally many on both sides do not count.
    """
    toward = np.sign(group.rectangles[:, 0] - 0.5)
    _, index = np.unique(group.patients, return_inverse=True)
    votes = np.sign(np.bincount(index, weights=toward, minlength=1))
    left, right = int((votes > 0).sum()), int((votes < 0).sum())
    total = left + right
    ways = tail = 1  # number of ways to have no vote for the rarer side, then one more in each iteration
    for votes_for in range(min(left, right)):
        ways = ways * (total - votes_for) // (votes_for + 1)
        tail += ways
    return min(1.0, 2 * tail / 2**total) if total else 1.0


class AtlasModel:
    """Probability maps of every finding and place, from boxes.

    A finding without a preferred side is learnt from its boxes and their mirror images. Maps of few boxes are shrunk
    towards a prior that counts as `smoothing.pseudo_boxes` boxes: for a finding, the boxes of all findings with sides;
    for a place, those boxes in this place and the finding's own map cut to it, in equal parts.

    Args:
        groups: category to its boxes.
        smoothing: the smoothing method.
        resolution: side length of the maps in pixels.
        own: the categories that are not pooled from others; their boxes make the prior.
    """

    def __init__(
        self, groups: Mapping[str, BoxGroup], smoothing: Smoothing, resolution: int, own: Iterable[str]
    ) -> None:
        self.smoothing, self.resolution = smoothing, resolution
        self.preference = {name: side_preference(group) for name, group in groups.items()}
        self.mirrored = {name: p >= SIGNIFICANCE for name, p in self.preference.items()}
        self._groups = {name: g.with_mirror() if self.mirrored[name] else g for name, g in groups.items()}
        members = [groups[name] for name in own if name in groups and has_sides(name)]
        self._all = join(members).with_mirror() if members else None
        self._priors: dict[Place, np.ndarray] = {}
        self._finding_maps: dict[str, np.ndarray] = {}

    def places(self, category: str) -> list[Place]:
        """Return the places to learn; for a mirrored finding the right side represents both."""
        sides: tuple[str | None, ...] = (None,)
        if has_sides(category):
            sides = (None, "bilateral", "right") if self.mirrored[category] else (None, "bilateral", "right", "left")
        return [Place(side, zone) for side in sides for zone in (None, *ZONE_BANDS)]

    def boxes_at(self, category: str, place: Place) -> int:
        """Return the number of boxes behind a map; those of a mirrored finding count on both sides."""
        count = int(self._groups[category].at(place).sum())
        return count // 2 if self._symmetric(category, place) else count

    def probability(self, category: str, place: Place) -> np.ndarray:
        """Return the probability `(resolution, resolution)` that the finding, if in the place, covers each pixel."""
        if place == Place() and category in self._finding_maps:
            return self._finding_maps[category]
        group = self._groups[category]
        own = smooth(group.rectangles[group.at(place)], self.smoothing, self.resolution)
        boxes, weight = self.boxes_at(category, place), self.smoothing.pseudo_boxes
        prior = self._prior(category, place) if weight else None
        probability = own if prior is None else (boxes * own + weight * prior) / (boxes + weight)
        if self._symmetric(category, place):  # exactly, despite rounding
            probability = (probability + probability[:, ::-1]) / 2
        probability = np.round(probability, 12)  # so that the order of summation does not change ranks
        if place == Place():
            self._finding_maps[category] = probability
        return probability

    def _symmetric(self, category: str, place: Place) -> bool:
        return self.mirrored[category] and place.side not in _ONE_SIDE

    def _prior(self, category: str, place: Place) -> np.ndarray | None:
        parts = []
        if self._all is not None and has_sides(category):
            parts.append(self._all_findings(self._all, place))
        if place != Place():
            parts.append(self._cut(category, place))
        return np.asarray(sum(parts) / len(parts)) if parts else None

    def _all_findings(self, group: BoxGroup, place: Place) -> np.ndarray:
        if place not in self._priors:
            rectangles = group.rectangles[group.at(place)]
            self._priors[place] = smooth(rectangles, self.smoothing, self.resolution)
        return self._priors[place]

    def _cut(self, category: str, place: Place) -> np.ndarray:
        """Return the finding's map cut to a place by a smooth window, with the same total probability."""
        whole = self.probability(category, Place())
        window = location_window(place.side, place.zone, self.resolution).numpy()
        spread = WINDOW_SPREAD * self.resolution
        height = 2 * round(3 * spread) + 1  # vertically only: a side ends at the midline, but zones overlap
        cut = whole * cv2.GaussianBlur(window, (1, height), spread, sigmaY=spread, borderType=cv2.BORDER_REPLICATE)
        return (cut * (whole.sum() / max(cut.sum(), 1e-9))).clip(0, 1)
