"""Peak signal-to-noise ratio over a region."""

from __future__ import annotations

import math

import torch

from .scoring import check_scoring

LARGEST_PSNR = 100.0  # dB, for images that are equal: infinity has no mean


def psnr(image: torch.Tensor, reference: torch.Tensor, region: torch.Tensor) -> float | None:
    """Return `10 log10(1 / mean squared error)` over a region in dB, at most `LARGEST_PSNR`, computed by torchmetrics.

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
    from torchmetrics.functional.image import peak_signal_noise_ratio

    if not region.any():
        return None
    value = float(peak_signal_noise_ratio(image[region], reference[region], data_range=1.0))
    return None if math.isnan(value) else min(value, LARGEST_PSNR)
