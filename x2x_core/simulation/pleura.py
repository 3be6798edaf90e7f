"""Fluid and air in the pleural space. The functions are `x2x_core.simulation.disease.Disease`."""

from __future__ import annotations

import torch

from x2x_core.common.randomness import smooth_noise, uniform

from .lesion_shapes import AIR, CONSOLIDATED, FLUID, coordinates, fill
from .thorax import Thorax


def pleural_effusion(
    thorax: Thorax,
    attenuation: torch.Tensor,
    *,
    side: str | None,
    zone: str | None,
    severity: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Add free fluid to the pleural space: a level with a meniscus that climbs the chest wall.

    The recess behind the diaphragm fills first; in a deep breath it takes about the lowest 0.4 of a lung's height. A
    small effusion therefore ends below the dome and blunts the angle, a moderate one rises above it, and a large one
    covers about half of the visible lung.
    """
    lung = thorax.lung(side)
    z, y, _ = coordinates(thorax)
    dz = thorax.spacing[0]
    tilt, climb = uniform(-0.06, 0.06, generator), uniform(30, 46, generator)
    reach, wobble = uniform(11, 17, generator), smooth_noise(attenuation.shape, (2, 3, 3), generator)
    height = (lung.base - lung.apex) * dz
    share = 0.13 + 0.60 * severity**0.9  # of the lung's height, from its lowest point
    surface = lung.base * dz - share * height + tilt * (y - y.mean())
    surface = surface - climb * (0.55 + 0.35 * severity) * torch.exp(-lung.wall / reach) + 3 * wobble
    amount = torch.sigmoid((z - surface) / 3.0) * lung.mask
    squeezed = 0.18 * torch.exp(-((surface - z).clamp_min(0)) / 25.0) * lung.mask * (0.4 + severity)
    return fill(fill(attenuation, squeezed, CONSOLIDATED), amount, FLUID)


def pneumothorax(
    thorax: Thorax,
    attenuation: torch.Tensor,
    *,
    side: str | None,
    zone: str | None,
    severity: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Add air around a lung that has retracted from the chest wall: no vessels outside a thin pleural line."""
    lung = thorax.lung(side)
    z, _, _ = coordinates(thorax)
    dz = thorax.spacing[0]
    height = ((z - lung.apex * dz) / ((lung.base - lung.apex) * dz)).clamp(0, 1)
    noise = smooth_noise(attenuation.shape, (3, 3, 3), generator)
    gap = (6 + 34 * severity) * (1.25 - 0.75 * height) * uniform(0.9, 1.1, generator) + 1.5 * noise
    inside = lung.wall - gap
    free = torch.sigmoid(-inside / 0.8) * lung.mask
    line = torch.exp(-((inside / 1.6) ** 2)) * lung.mask
    denser = 0.04 + 0.14 * severity
    collapsed = fill(attenuation, denser * (1 - free) * lung.mask, CONSOLIDATED)
    return fill(collapsed + free * (AIR - collapsed), 0.55 * line, CONSOLIDATED)
