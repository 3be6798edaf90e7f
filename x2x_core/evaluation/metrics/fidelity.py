"""Fidelity: how near an edit comes to the true image inside the true region."""

from __future__ import annotations

import math

import torch

from x2x_core.common.extras import needs_extra

LARGEST_PSNR = 100.0  # dB: what an edit that equals the truth gets, since infinity has no mean


def check_scoring() -> None:
    """See that fidelity can be scored, before a long run.

    Raises:
        MissingExtraError: torchmetrics is not installed.
    """
    with needs_extra("Scoring fidelity", "torchmetrics", "evaluate"):
        import torchmetrics  # noqa: F401


def fidelity(
    edited: torch.Tensor, before: torch.Tensor, after: torch.Tensor, region: torch.Tensor
) -> dict[str, float | None]:
    """Errors and likeness to the truth over the pixels of a region.

    Args:
        edited, before, after: `(1, H, W)` float32 in [0, 1]; `after` is the truth.
        region: `(1, H, W)` bool.

    Returns:
        "mse_ratio": mean squared error of the edit over that of `before`; "ssim": mean over the region of the
        structural similarity map (Wang et al., 2004; Gaussian window of 11 pixels, range 1); "psnr": in dB, at most
        `LARGEST_PSNR`. All ``None`` for an empty region; "mse_ratio" also where `before` equals the truth there.

    Raises:
        MissingExtraError: torchmetrics is not installed.
    """
    check_scoring()
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    if not region.any():
        return {"mse_ratio": None, "ssim": None, "psnr": None}
    old, new = (float((image - after)[region].double().square().mean()) for image in (before, edited))
    _, similarity = structural_similarity_index_measure(
        edited[None], after[None], data_range=1.0, return_full_image=True
    )
    psnr = float(peak_signal_noise_ratio(edited[region], after[region], data_range=1.0))
    return {
        "mse_ratio": new / old if old else None,
        "ssim": float(similarity[0][region].mean()),
        "psnr": min(psnr, LARGEST_PSNR) if not math.isnan(psnr) else None,
    }
