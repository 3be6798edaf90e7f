"""Is the patient kept: re-identification turned round.

Benchmarks of generators ask a network that identifies patients how often a synthetic image gives one away (Packhäuser
et al., *Deep learning-based patient re-identification*, 2022; CheXGenBench, 2025). An edit must keep the patient, so
here it should succeed.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch

from x2x_core.common.errors import InputError


def patient_kept(images: torch.Tensor, gallery: torch.Tensor, patients: Sequence[Hashable]) -> torch.Tensor:
    """Return for each image whether the most similar image of a gallery is of its own patient: 1 or 0.

    Similarity is the cosine of features; of equal ones the first in the gallery counts.

    Args:
        images: features `(n, D)` of the images to judge.
        gallery: features `(n, D)` of another image of each patient, in the same order.
        patients: of each pair.

    Returns:
        `(n,)` float64; nan for all if there is one patient only.

    Raises:
        InputError: shapes that differ.
    """
    if images.ndim != 2 or images.shape != gallery.shape or len(patients) != len(images):
        raise InputError(
            f"`images`, `gallery` and `patients` must be (n, D), (n, D) and n, got {tuple(images.shape)}, "
            f"{tuple(gallery.shape)} and {len(patients)}."
        )
    if len(set(patients)) < 2:
        return torch.full((len(images),), torch.nan, dtype=torch.float64)
    first, second = (torch.nn.functional.normalize(features.double(), dim=1) for features in (images, gallery))
    nearest = (first @ second.T).argmax(1).tolist()
    return torch.tensor([float(patients[n] == own) for n, own in zip(nearest, patients)], dtype=torch.float64)
