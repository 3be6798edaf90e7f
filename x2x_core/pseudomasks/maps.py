"""Probability maps: how likely a finding is at each point of the anatomical frame, and the mask that each gives.

A map is kept as bytes, so that an atlas of a hundred maps stays small: the probability is `peak * (byte / 255)^2`. The
square gives the low probabilities, where the outline runs, the finer steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from x2x_core.anatomy.sites import EDGE_WIDTH, soften
from x2x_core.common.errors import InputError

MASK_RESOLUTION = 256  # pixels to a side of the masks


@dataclass(frozen=True)
class Place:
    """A side and a zone of the chest; ``None`` is any side, or any height."""

    side: str | None = None  # "left" or "right" of the patient, or "bilateral": across the midline
    zone: str | None = None  # a key of `x2x_core.anatomy.sites.ZONE_BANDS`

    @property
    def mirrored(self) -> Place:
        """The same place on the patient's other side."""
        return Place({"left": "right", "right": "left"}.get(self.side, self.side), self.zone)

    @property
    def wider(self) -> Place | None:
        """The place that this one is a part of: without the zone, or without the side; ``None``: of none."""
        if self.zone is not None:
            return Place(self.side)
        return Place() if self.side in ("left", "right") else None

    def key(self, category: str) -> str:
        """The name of a category's map here, such as "Effusion/right/lower"."""
        return "/".join(part for part in (category, self.side, self.zone) if part)


@dataclass(frozen=True)
class ProbabilityMap:
    """The probability that a finding, known to be in a place, lies over each point of the anatomical frame."""

    values: torch.Tensor  # (h, w) uint8, see the module's docstring
    peak: float  # the highest probability, (0, 1]
    cut: float  # the probability on the outline of the region

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != torch.uint8 or 0 in self.values.shape:
            raise InputError(f"`values` must be (h, w) bytes, got {self.values.dtype} {tuple(self.values.shape)}.")
        if not 0 < self.peak <= 1 or not 0 < self.cut <= self.peak:
            raise InputError(f"`cut` and `peak` must be 0 < cut <= peak <= 1, got {self.cut} and {self.peak}.")

    @classmethod
    def of(cls, probability: np.ndarray, mass: float, largest: float = 1.0) -> ProbabilityMap:
        """Encode a probability `(h, w)` in [0, 1] and cut it where its region holds `mass` of all of it.

        The region is at most `largest`, a share of the frame, but for points as likely as those on the outline.

        Raises:
            InputError: the probability is 0 everywhere or leaves [0, 1], or `mass` is not in (0, 1].
        """
        peak = float(probability.max())
        if not 0 < peak <= 1 or probability.min() < 0 or not 0 < mass <= 1:
            raise InputError(
                f"`probability` must lie in [0, 1] and not be 0 throughout, and `mass` in (0, 1], got "
                f"{float(probability.min())} to {peak} and {mass}."
            )
        coded = torch.from_numpy(np.round(255 * np.sqrt(probability / peak)).astype(np.uint8))
        levels = cls(coded, peak, peak).probability(MASK_RESOLUTION).numpy().ravel()
        levels = np.sort(levels.astype(np.float64))[::-1]
        last = min(int(np.searchsorted(np.cumsum(levels), mass * levels.sum())), int(largest * levels.size) - 1)
        return cls(coded, peak, max(float(levels[last]), np.finfo(np.float32).tiny))

    def probability(self, resolution: int | None = None) -> torch.Tensor:
        """The probability `(resolution, resolution)` float32 in [0, 1]; ``None``: at the map's own size."""
        share = self.values.to(torch.float32) / 255
        probability = share * share * self.peak
        if resolution is None:
            return probability
        size = (resolution, resolution)
        return F.interpolate(probability[None, None], size, mode="bilinear", align_corners=False)[0, 0]

    def mask(self, edge_width: float = EDGE_WIDTH) -> torch.Tensor:
        """The soft mask `(MASK_RESOLUTION, MASK_RESOLUTION)` float32 in [0, 1] of the region above the cut."""
        region = self.probability(MASK_RESOLUTION) >= self.cut
        soft = soften(region.numpy(), edge_width)
        return torch.from_numpy(np.round(soft * 255).astype(np.float32) / np.float32(255))

    @property
    def share(self) -> float:
        """The share of the frame within the cut."""
        return float((self.probability(MASK_RESOLUTION) >= self.cut).float().mean())
