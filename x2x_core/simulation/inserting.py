"""Inserting lesions into a volume."""

from __future__ import annotations

import torch

from .disease import DEFORMATIONS, DISEASES
from .lesions import Lesion
from .thorax import Thorax


def apply_lesions(thorax: Thorax, attenuation: torch.Tensor, lesions: tuple[Lesion, ...]) -> torch.Tensor:
    """Insert lesions one after another into a volume `(Z, Y, X)` (1 = water); the input is not modified.

    A lesion that deforms the anatomy deforms it for all lesions after it, see `ordered`.
    """
    for number, lesion in enumerate(lesions, start=1):
        sides = ("right", "left") if lesion.side == "bilateral" else (lesion.side,)
        for side in sides:
            attenuation = DISEASES[lesion.finding](
                thorax,
                attenuation,
                side=side,
                zone=lesion.zone,
                severity=lesion.severity,
                generator=torch.Generator().manual_seed(lesion.seed),
            )
        if lesion.finding in DEFORMATIONS and number < len(lesions):
            shape = torch.Generator().manual_seed(lesion.seed)
            thorax = DEFORMATIONS[lesion.finding](thorax, severity=lesion.severity, generator=shape)
    return attenuation
