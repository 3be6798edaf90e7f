"""Probability maps: the probability of a finding at each point of the anatomical frame, and the mask cut from it.

A map is stored as bytes, which keeps an atlas of a hundred maps small: the probability is `peak * (byte / 255)^2`. The
square gives finer steps to low probabilities, where the outline runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from x2x_core.anatomy.sites import EDGE_WIDTH, soften
from x2x_core.common.errors import InputError
from x2x_core.language.vocabulary import OTHER_SIDE

MASK_RESOLUTION = 256  # pixels per side of the masks


@dataclass(frozen=True)
class Place:
    """A side and a zone of the chest; ``None`` is any side, or any height."""

    side: str | None = None  # "left" or "right" of the patient, or "bilateral" (across the midline)
    zone: str | None = None  # a key of `x2x_core.anatomy.sites.ZONE_BANDS`

    @property
    def mirrored(self) -> Place:
        """The same place on the patient's other side."""
        return self if self.side is None else Place(OTHER_SIDE.get(self.side, self.side), self.zone)

    @property
    def wider(self) -> Place | None:
        """The place that contains this one: without the zone, or without the side; ``None`` for the whole chest."""
        if self.zone is not None:
            return Place(self.side)
        return Place() if self.side in ("left", "right") else None

    def key(self, category: str) -> str:
        """Return the name of a category's map in this place, such as "Effusion/right/lower"."""
        return "/".join(part for part in (category, self.side, self.zone) if part)


@dataclass(frozen=True)
class ProbabilityMap:
    """The probability that a finding in a given place covers each point of the anatomical frame."""

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
        """Encode a probability and cut it so that its region contains a share of the total.

        Args:
            probability: `(h, w)` in [0, 1].
            mass: the share of the total probability inside the region, (0, 1].
            largest: upper limit on the region, share of the frame; points as likely as those on the outline may
                exceed it.

        Raises:
            InputError: the probability is 0 everywhere or outside [0, 1], or `mass` is not in (0, 1].
        """
        peak = float(probability.max())
        if not 0 < peak <= 1 or probability.min() < 0 or not 0 < mass <= 1:
            raise InputError(
                f"`probability` must lie in [0, 1] and not be 0 throughout, and `mass` in (0, 1], got "
                f"{float(probability.min())} to {peak} and {mass}."
            )
        coded = torch.from_numpy(np.round(255 * np.sqrt(probability / peak)).astype(np.uint8))
        fine = cls(coded, peak, peak).probability(MASK_RESOLUTION).numpy().ravel()
        levels = np.sort(fine.astype(np.float64))[::-1]
        last = min(int(np.searchsorted(np.cumsum(levels), mass * levels.sum())), int(largest * levels.size) - 1)
        return cls(coded, peak, max(float(levels[last]), float(np.finfo(np.float32).tiny)))

    def probability(self, resolution: int | None = None) -> torch.Tensor:
        """Return the probability `(resolution, resolution)` float32 in [0, 1]; ``None``: at the map's own size."""
        share = self.values.to(torch.float32) / 255
        probability = share * share * self.peak
        if resolution is None:
            return probability
        size = (resolution, resolution)
        return F.interpolate(probability[None, None], size, mode="bilinear", align_corners=False)[0, 0]

    def mask(self, edge_width: float = EDGE_WIDTH) -> torch.Tensor:
        """Return the soft mask `(MASK_RESOLUTION, MASK_RESOLUTION)` float32 in [0, 1] of the region above the cut."""
        region = self.probability(MASK_RESOLUTION) >= self.cut
        soft = soften(region.numpy(), edge_width)
        return torch.from_numpy(np.round(soft * 255).astype(np.float32) / np.float32(255))

    @property
    def share(self) -> float:
        """The region's share of the frame."""
        return float((self.probability(MASK_RESOLUTION) >= self.cut).float().mean())
