"""CMIG: composite of how well edits show the pathology and preserve the patient."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError


def cmig(pathology: torch.Tensor, race: torch.Tensor, age: torch.Tensor) -> torch.Tensor:
    """Return `sqrt(pathology * sqrt(race * age))` (Gu et al., *BiomedJourney*, 2023).

    A negative age correlation counts as 0, which makes the composite 0: see `is_clipped`. Read the components first:
    very different models can have the same composite.

    Args:
        pathology: AUROC of pathologies, `(R,)` in [0, 1]; where it is nan the composite is nan.
        race: accuracy or AUROC of race, `(R,)` in [0, 1].
        age: Pearson's correlation of age, `(R,)` in [-1, 1].

    Returns:
        `(R,)` in [0, 1].

    Raises:
        InputError: a component out of range.
    """
    for name, values, low in (("pathology", pathology, 0), ("race", race, 0), ("age", age, -1)):
        if ((values < low) | (values > 1)).any():
            raise InputError(
                f"`{name}` must lie in [{low}, 1], got {float(values.min()):g} to {float(values.max()):g}."
            )
    return (pathology * (race * age.clamp_min(0)).sqrt()).sqrt()


def is_clipped(age: float) -> bool:
    """Return True if the composite counts this age correlation as 0."""
    return age < 0
