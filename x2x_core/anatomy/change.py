"""Description of what changed between two pictures and where, read off pixels alone: side, zone, area and sign.

No instruction enters, so the sentence can contradict it: an edit that was asked for on the left and changed the right
says right.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch

from x2x_core.imaging.changed import changed_region
from x2x_core.imaging.geometry import fit_size, resize

from .frame import Frame, pixel_centres
from .sites import MIDLINE, ZONE_BANDS

VIEW = 512  # longer side in pixels at which a change is described
ONE_SIDED = 0.8  # share of the change from which it has one side, or one sign
IN_ZONE = 0.2  # share of the change from which a zone is named
BRIGHTER, DARKER, MIXED, COLOUR = "brighter", "darker", "brighter and darker", "another colour"
LEFT, RIGHT, BOTH = "left", "right", "both"
CHEST, PICTURE = "chest", "picture"
_ZONES = ("upper", "middle", "lower")
#: Heights at which one zone ends and the next begins: the middle of their overlap in `ZONE_BANDS`.
ZONE_LIMITS = tuple((ZONE_BANDS[above][1] + ZONE_BANDS[below][0]) / 2 for above, below in pairwise(_ZONES))


@dataclass(frozen=True)
class Change:
    """The change of a picture and its place.

    Args:
        sign: `BRIGHTER`, `DARKER`, `MIXED` (less than `ONE_SIDED` of the change is of either sign), or `COLOUR` (the
            brightness stays); ``None``: no pixel changed visibly.
        side: `LEFT`, `RIGHT` or `BOTH`: of the patient in a chest, else of the picture as one looks at it; ``None`` if
            nothing changed.
        zones: "upper", "middle" and "lower", those with at least `IN_ZONE` of the change, from the top; thirds of the
            lungs in a chest, else of the picture.
        area: share of the picture whose change exceeds a tenth of the largest, and 0.01.
        mean: mean change of grey value over that area, in [-1, 1].
        largest: the change of grey value furthest from 0, in [-1, 1].
        place: what side and zones refer to, `CHEST` or `PICTURE`.
        fitted: True if the zones are fitted to this patient's lungs, False for those of the typical radiograph.
    """

    sign: str | None
    side: str | None
    zones: tuple[str, ...]
    area: float
    mean: float
    largest: float
    place: str
    fitted: bool = False

    def sentence(self) -> str:
        """Return the change as a sentence."""
        if self.sign is None:
            return "No pixel changed visibly."
        amount = f"by {abs(self.mean):.2f} on average and {abs(self.largest):.2f} at most (white minus black is 1)"
        how = self.sign[0].upper() + self.sign[1:]
        return f"{how} {amount} over {self.area:.1%} of the picture: {self._where()}."

    def _where(self) -> str:
        zones = " and ".join(", ".join(self.zones).rsplit(", ", 1))
        if self.place == PICTURE:
            sides = {LEFT: "left half", RIGHT: "right half", BOTH: "both halves"}
            return f"{sides[self.side or BOTH]} of the picture, {zones} third{'s' if len(self.zones) > 1 else ''}"
        sides = {LEFT: "the patient's left", RIGHT: "the patient's right", BOTH: "both sides"}
        typical = "" if self.fitted else ", as on the typical radiograph"
        return f"{sides[self.side or BOTH]}, {zones} zone{'s' if len(self.zones) > 1 else ''}{typical}"

    def as_dict(self) -> dict[str, Any]:
        """Return all fields and the sentence, for JSON."""
        return {"sentence": self.sentence(), **asdict(self), "zones": list(self.zones)}


def describe_change(
    before: torch.Tensor, after: torch.Tensor, frame: Frame | None = None, *, fitted: bool = False, chest: bool = True
) -> Change:
    """Describe what changed between two pictures.

    Args:
        before: `(C, H, W)` in [0, 1], C of 1 or 3.
        after: like `before`.
        frame: of the chest in the picture; ``None``: the picture is the typical radiograph.
        fitted: True if the frame is fitted to this patient's lungs.
        chest: False for pictures that are not chest radiographs, whose places are halves and thirds of the picture.
    """
    change = (after.float() - before.float()).cpu()
    height, width = change.shape[-2:]
    if max(height, width) > VIEW:
        change = resize(change[None], fit_size((height, width), VIEW))[0]
    strength, grey = change.abs().amax(0, keepdim=True), change.mean(0, keepdim=True)
    region = changed_region(strength)
    place, fitted = (CHEST, fitted) if chest else (PICTURE, False)
    if not region.any():
        return Change(None, None, (), 0.0, 0.0, 0.0, place, fitted)
    weights, values = strength[region].double(), grey[region].double()
    points = pixel_centres((change.shape[-2], change.shape[-1]))[region[0]]
    if chest and frame is not None:
        points = frame.to_frame(points)
    return Change(
        sign=_sign(values, weights),
        side=_side(points[:, 0], weights, patient=chest),
        zones=_zones(points[:, 1], weights, ZONE_LIMITS if chest else (1 / 3, 2 / 3)),
        area=float(region.double().mean()),
        mean=float(values.mean()),
        largest=float(values[values.abs().argmax()]),
        place=place,
        fitted=fitted,
    )


def _sign(values: torch.Tensor, weights: torch.Tensor) -> str:
    """Return the sign of grey values' changes; `weights` are those of the channel that changed most."""
    total = values.abs().sum()
    if total < (1 - ONE_SIDED) * weights.sum():
        return COLOUR
    brighter = float(values.clamp_min(0).sum() / total)
    return BRIGHTER if brighter >= ONE_SIDED else DARKER if brighter <= 1 - ONE_SIDED else MIXED


def _side(x: torch.Tensor, weights: torch.Tensor, patient: bool) -> str:
    """Return the side of weighted points; the patient's left is on the right of the picture."""
    of_left, of_right = (float(weights[half].sum()) for half in (x < MIDLINE, x >= MIDLINE))
    if max(of_left, of_right) < ONE_SIDED * (of_left + of_right):
        return BOTH
    return LEFT if (of_right > of_left) is patient else RIGHT


def _zones(y: torch.Tensor, weights: torch.Tensor, limits: tuple[float, ...]) -> tuple[str, ...]:
    zone = torch.bucketize(y.float().contiguous(), torch.tensor(limits), right=True)
    shares = torch.zeros(len(_ZONES), dtype=torch.float64).index_add_(0, zone, weights) / weights.sum()
    return tuple(name for name, share in zip(_ZONES, shares.tolist()) if share >= IN_ZONE)
