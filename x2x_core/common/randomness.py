"""The simulator's random draws: a number from a range, a smooth field. Each takes its generator."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """One draw from [low, high)."""
    return low + (high - low) * torch.rand((), generator=generator).item()


def smooth_noise(shape: tuple, cells: tuple[int, int, int], generator: torch.Generator) -> torch.Tensor:
    """Smooth noise of unit spread, `shape`, varying over about `cells` cells per axis."""
    coarse = torch.randn((1, 1, *(c + 1 for c in cells)), generator=generator)
    return F.interpolate(coarse, size=shape, mode="trilinear", align_corners=True)[0, 0]
