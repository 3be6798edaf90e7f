"""Gaussian blur."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def blur(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur `(C, H, W)` with a Gaussian of `sigma` pixels, reflecting borders; below 0.15 pixels unchanged."""
    if sigma < 0.15:
        return image
    radius = max(1, min(int(3 * sigma + 0.5), image.shape[-1] - 1, image.shape[-2] - 1))
    taps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (taps / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    padded = F.pad(image[None], (radius,) * 4, mode="reflect")[0][:, None]
    rows = F.conv2d(padded, kernel[..., None, :])
    return F.conv2d(rows, kernel[..., None])[:, 0]
