"""Building blocks of lesions: positions, zones, soft shapes and filling of a volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .findings import ZONES
from .thorax import Lung, Thorax

#: Attenuation relative to water.
FLUID, CONSOLIDATED, AIR = 1.02, 0.98, 0.0

_EDGE = 0.08  # share of the lung's height between a lesion's centre and the border of its zone


def coordinates(thorax: Thorax) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return positions in mm along z, y and x, shaped to broadcast to `(Z, Y, X)`."""
    z, y, x = (torch.arange(n, dtype=torch.float32) * s for n, s in zip(thorax.shape, thorax.spacing))
    return z[:, None, None], y[None, :, None], x[None, None, :]


def fill(attenuation: torch.Tensor, amount: torch.Tensor, density: float) -> torch.Tensor:
    """Blend voxels lighter than `density` towards it, by `amount` in [0, 1]."""
    return attenuation + amount * (density - attenuation).clamp_min(0)


def zone_floor(lung: Lung) -> float:
    """Return the voxel z down to which a lung is visible on a frontal radiograph, a little below the dome."""
    return lung.dome + 0.35 * (lung.base - lung.dome)


def draw_centre(lung: Lung, zone: str | None, generator: torch.Generator, depth: float = 14.0) -> tuple[int, int, int]:
    """Draw a voxel inside a zone of the lung, at least `depth` mm from the pleura if there is one."""
    if zone is None:
        raise ValueError("A finding of one zone needs a zone.")
    low, high = ZONES[zone]
    span = zone_floor(lung) - lung.apex
    top, bottom = lung.apex + (low + _EDGE) * span, lung.apex + (high - _EDGE) * span
    rows = slice(int(top), max(int(bottom), int(top) + 1))
    inside = (lung.depth[rows] > depth).nonzero()
    if len(inside) == 0:
        inside = (lung.depth[rows] > 0).nonzero()
    z, y, x = inside[int(torch.randint(len(inside), (), generator=generator))].tolist()
    return z + rows.start, y, x


@dataclass(frozen=True)
class Border:
    """Border of a lesion: noise field `(Z, Y, X)`, width of the soft edge, and how far the noise moves the edge."""

    noise: torch.Tensor
    edge: float
    raggedness: float


def ellipsoid(thorax: Thorax, centre: Sequence[float], radii_mm: Sequence[float], border: Border) -> torch.Tensor:
    """Return a soft ellipsoid with a ragged border, `(Z, Y, X)` in [0, 1]; `centre` is in voxels."""
    z, y, x = coordinates(thorax)
    c = [p * s for p, s in zip(centre, thorax.spacing)]
    squared = ((z - c[0]) / radii_mm[0]) ** 2 + ((y - c[1]) / radii_mm[1]) ** 2 + ((x - c[2]) / radii_mm[2]) ** 2
    return torch.sigmoid((1 - squared.sqrt() + border.raggedness * border.noise) / border.edge)
