"""Structural similarity over a region."""

from __future__ import annotations

import torch

from .scoring import check_scoring

SSIM_REACH = 5  # pixels to each side that one value of the similarity map covers (Gaussian window of 11)


def ssim(image: torch.Tensor, reference: torch.Tensor, region: torch.Tensor) -> float | None:
    """Return the mean of the structural similarity map over a region, in [-1, 1].

    The map is that of Wang et al., *Image Quality Assessment: From Error Visibility to Structural Similarity* (2004),
    with a Gaussian window of 11 pixels and data range 1, computed by torchmetrics.

    Args:
        image: `(1, H, W)` float32 in [0, 1].
        reference: like `image`.
        region: `(1, H, W)` bool.

    Returns:
        ``None`` for an empty region.

    Raises:
        MissingExtraError: torchmetrics is not installed.
    """
    check_scoring()
    from torchmetrics.functional.image import structural_similarity_index_measure

    if not region.any():
        return None
    _, similarity = structural_similarity_index_measure(
        image[None], reference[None], data_range=1.0, return_full_image=True
    )
    return float(similarity[0][region].mean())
