"""Expert bounding boxes of findings, in the unit square of their images."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from x2x_core.anatomy.sites import ZONE_BANDS
from x2x_core.common.errors import InputError

# Names of categories in the tables that differ from ours (those of the published pseudomasks).
CATEGORY_ALIASES = {
    "Pleural Effusion": "Effusion",
    "Pleural effusion": "Effusion",
    "Infiltration": "Infiltrate",
    "Nodule/Mass": "Lung Lesion",
    "Edema/Congestion": "Edema",
}


@dataclass(frozen=True)
class Box:
    """One expert's rectangle around one finding, in the unit square of its whole image."""

    category: str  # finding category, e.g. "Effusion"
    cx: float  # centre, share of the image's width from its left edge, [0, 1]
    cy: float  # centre, share of the image's height from its top edge, [0, 1]
    width: float  # share of the image's width, (0, 1]
    height: float  # share of the image's height, (0, 1]
    image_id: str  # file or DICOM id, as the table has it
    patient_id: str  # boxes of one patient are never split between building and evaluation
    known_side: str | None = None  # "left", "right" or "bilateral" if the source states it; None: from the box
    known_zone: str | None = None  # a key of `sites.ZONE_BANDS` if the source states it; None: from the box

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in [0, 1]."""
        half_width, half_height = self.width / 2, self.height / 2
        return (self.cx - half_width, self.cy - half_height, self.cx + half_width, self.cy + half_height)

    @property
    def crosses_midline(self) -> bool:
        """True if at least a quarter of the box lies on each side of the image's middle."""
        return abs(self.cx - 0.5) < self.width / 4

    @property
    def side(self) -> str | None:
        """The patient's side: "right" is the left of the image; ``None`` for a box across the midline."""
        if self.known_side is not None:
            return None if self.known_side == "bilateral" else self.known_side
        if self.crosses_midline:
            return None
        return "right" if self.cx < 0.5 else "left"

    @property
    def zones(self) -> tuple[str, ...]:
        """The zone bands that contain its centre; bands overlap, so there may be several."""
        if self.known_zone is not None:
            return (self.known_zone,)
        return tuple(zone for zone, (top, bottom) in ZONE_BANDS.items() if top <= self.cy < bottom)

    def with_place(self, side: str | None, zone: str | None) -> Box:
        """Return this box with a known side and zone; ``None`` derives them from the box."""
        return replace(self, known_side=side, known_zone=zone)

    @classmethod
    def from_pixels(
        cls,
        category: str,
        rectangle: tuple[float, float, float, float],  # left, top, width, height in pixels
        image_size: tuple[float, float],  # width, height in pixels
        image_id: str,
        patient_id: str,
    ) -> Box:
        """Scale a rectangle in pixels to the unit square, clipped to the image.

        Raises:
            InputError: the rectangle is empty, not finite, or lies outside the image.
        """
        values = (*rectangle, *image_size)
        if not all(math.isfinite(v) for v in values):
            raise InputError(f"`rectangle` and `image_size` must be finite numbers, got {values}.")
        if min(rectangle[2:]) <= 0 or min(image_size) <= 0:
            raise InputError(
                f"`rectangle` (left, top, width, height) and `image_size` must have a positive width and "
                f"height, got {rectangle} on {image_size}."
            )
        left, right = _clip_span(rectangle[0], rectangle[2], image_size[0])
        top, bottom = _clip_span(rectangle[1], rectangle[3], image_size[1])
        if left >= right or top >= bottom:
            raise InputError(f"`rectangle` must lie inside its image, got {rectangle} on {image_size}.")
        category = CATEGORY_ALIASES.get(category, category)
        centre = ((left + right) / 2, (top + bottom) / 2)
        return cls(category, *centre, right - left, bottom - top, image_id, patient_id)


def _clip_span(start: float, length: float, extent: float) -> tuple[float, float]:
    return max(start / extent, 0.0), min((start + length) / extent, 1.0)
