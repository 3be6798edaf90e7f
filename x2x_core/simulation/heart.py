"""Enlargement of the heart as a deformation of the chest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F

from x2x_core.common.randomness import uniform

from .lesion_shapes import coordinates
from .thorax import Thorax

_RADII_MM = (85.0, 95.0, 125.0)  # of the deformed region, along z, y and x


def cardiomegaly(
    thorax: Thorax,
    attenuation: torch.Tensor,
    *,
    side: str | None,
    zone: str | None,
    severity: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Enlarge the heart: stretch the volume around its centre, most to the left and downwards.

    The function is a `x2x_core.simulation.disease.Disease`.
    """
    return warp(attenuation, _heart_growth(thorax, severity, generator))


def with_enlarged_heart(thorax: Thorax, *, severity: float, generator: torch.Generator) -> Thorax:
    """Return the chest as `cardiomegaly` deforms it: its lungs give way, so that no later finding lies in the heart.

    Distances move with the tissue: a lung squeezed between heart and chest wall keeps its distances to the wall.
    """
    volumes = [volume for lung in thorax.lungs.values() for volume in (lung.mask, lung.depth, lung.wall)]
    moved = warp(torch.stack([thorax.heart, *volumes]), _heart_growth(thorax, severity, generator))
    lungs = {
        side: replace(lung, mask=mask, depth=depth, wall=wall)
        for (side, lung), (mask, depth, wall) in zip(thorax.lungs.items(), moved[1:].split(3))
    }
    return replace(thorax, lungs=lungs, heart=moved[0])


def _heart_growth(thorax: Thorax, severity: float, generator: torch.Generator) -> list[torch.Tensor]:
    """Return the displacements in voxels for z, y and x that lead from an enlarged heart's chest to the original."""
    centre = [c * s for c, s in zip(thorax.heart_centre, thorax.spacing)]
    growth = (0.12 + 0.62 * severity) * uniform(0.95, 1.05, generator)
    skew = uniform(0.0, 0.15, generator)
    offset = [p - c for p, c in zip(coordinates(thorax), centre)]
    z, y, x = ((o / r) ** 2 for o, r in zip(offset, _RADII_MM))
    shrink = growth * torch.exp(-(((z + y + x) / 0.55) ** 2)) / (1 + growth)
    sideways = shrink * (1 + skew * torch.sign(offset[2]))
    pull = (0.45 * shrink, 0.7 * shrink, sideways)
    return [-o * p / s for o, p, s in zip(offset, pull, thorax.spacing)]


def warp(volume: torch.Tensor, displacement: Sequence[torch.Tensor]) -> torch.Tensor:
    """Sample `(Z, Y, X)` or `(N, Z, Y, X)` at each voxel plus a displacement in voxels, given for z, y and x."""
    moved, space = [], volume.shape[-3:]
    for axis, size in enumerate(space):
        shape = [1, 1, 1]
        shape[axis] = size
        place = torch.arange(size, dtype=torch.float32).view(shape) + displacement[axis]
        moved.append((2 * place / (size - 1) - 1).expand(space))
    grid = torch.stack(moved[::-1], dim=-1)[None]
    stack = volume.reshape(1, -1, *space)
    sampled = F.grid_sample(stack, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return sampled.reshape(volume.shape)
