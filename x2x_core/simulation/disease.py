"""Registry of simulated diseases: each finding is a function that changes a chest's attenuation.

The same generator state gives the same lesion at any severity, so a change of level keeps the lesion in its place.
"""

from __future__ import annotations

from typing import Protocol

import torch

from .heart import cardiomegaly, with_enlarged_heart
from .opacities import atelectasis, consolidation, edema, lung_opacity, pneumonia
from .pleura import pleural_effusion, pneumothorax
from .thorax import Thorax


class Disease(Protocol):
    """Insert a lesion into a volume and return the changed attenuation."""

    def __call__(
        self,
        thorax: Thorax,
        attenuation: torch.Tensor,
        *,
        side: str | None,
        zone: str | None,
        severity: float,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Insert the lesion.

        Args:
            thorax: the chest without this lesion.
            attenuation: volume to change, `(Z, Y, X)`, 1 = water; not modified.
            side: "left" or "right"; ``None`` if the finding has no side.
            zone: "upper", "middle" or "lower"; ``None`` if the finding has no zone.
            severity: in (0, 1], see `x2x_core.simulation.findings.SEVERITY`.
            generator: draws the shape.
        """


class Deformation(Protocol):
    """Return the chest as a finding deforms it."""

    def __call__(self, thorax: Thorax, *, severity: float, generator: torch.Generator) -> Thorax:
        """Deform the chest; severity and generator are those with which the disease was inserted."""


#: Disease of each of `SIMULATED_FINDINGS`.
DISEASES: dict[str, Disease] = {
    "pleural effusion": pleural_effusion,
    "consolidation": consolidation,
    "lung opacity": lung_opacity,
    "pneumonia": pneumonia,
    "atelectasis": atelectasis,
    "edema": edema,
    "cardiomegaly": cardiomegaly,
    "pneumothorax": pneumothorax,
}

#: Findings that deform the anatomy; all others fill it.
DEFORMATIONS: dict[str, Deformation] = {"cardiomegaly": with_enlarged_heart}
