"""Random draws of the simulator, each from an explicit generator."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Draw a number from [low, high)."""
    return low + (high - low) * torch.rand((), generator=generator).item()


def smooth_noise(shape: tuple[int, ...], cells: tuple[int, int, int], generator: torch.Generator) -> torch.Tensor:
    """Draw smooth noise: `cells + 1` standard normal values per axis, interpolated trilinearly to `shape`."""
    coarse = torch.randn((1, 1, *(c + 1 for c in cells)), generator=generator)
    return F.interpolate(coarse, size=shape, mode="trilinear", align_corners=True)[0, 0]
