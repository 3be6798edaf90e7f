"""CMIG, the composite of how well an edit shows the pathology and keeps the patient."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError


def cmig(pathology: torch.Tensor, race: torch.Tensor, age: torch.Tensor) -> torch.Tensor:
    """`sqrt(pathology * sqrt(race * age))`, after BiomedJourney (Gu et al., 2023).

    A negative correlation of age counts as 0, and so the composite is then 0: see `is_clipped`. Read the components
    first: very different models have the same composite.

    Args:
        pathology: AUROC of pathologies, `(R,)` in [0, 1]; nan where undefined, as is the composite then.
        race: score of race (accuracy or AUROC), `(R,)` in [0, 1].
        age: Pearson's correlation of age, `(R,)` in [-1, 1].
    """
    for name, values, low in (("pathology", pathology, 0), ("race", race, 0), ("age", age, -1)):
        if ((values < low) | (values > 1)).any():
            raise InputError(
                f"`{name}` must lie in [{low}, 1], got {float(values.min()):g} to {float(values.max()):g}."
            )
    return (pathology * (race * age.clamp_min(0)).sqrt()).sqrt()


def is_clipped(age: float) -> bool:
    """Whether the composite counts this correlation as 0."""
    return age < 0
