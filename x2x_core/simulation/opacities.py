"""Opacities inside the lungs: consolidation, ground glass, pneumonia, atelectasis and edema.

The functions are `x2x_core.simulation.disease.Disease`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from x2x_core.common.randomness import smooth_noise, uniform

from .lesion_shapes import CONSOLIDATED, Border, coordinates, draw_centre, ellipsoid, fill
from .thorax import Thorax


@dataclass(frozen=True)
class _Opacity:
    """Look of a rounded opacity: radius in mm, density in [0, 1], border, and number of confluent patches."""

    radius: float
    density: float
    edge: float
    raggedness: float
    patches: int = 1


def _insert(
    look: _Opacity,
    thorax: Thorax,
    attenuation: torch.Tensor,
    side: str | None,
    zone: str | None,
    generator: torch.Generator,
) -> torch.Tensor:
    lung = thorax.lung(side)
    centre = draw_centre(lung, zone, generator)
    border = Border(smooth_noise(attenuation.shape, (14, 11, 18), generator), look.edge, look.raggedness)
    texture = smooth_noise(attenuation.shape, (40, 28, 50), generator)
    amount = torch.zeros_like(attenuation)
    for patch in range(look.patches):
        shift = [uniform(-1, 1, generator) * look.radius * 0.7 * (patch > 0) for _ in range(3)]
        place = [c + d / s for c, d, s in zip(centre, shift, thorax.spacing)]
        radii = [look.radius * uniform(0.8, 1.2, generator) * f for f in (0.9, 1.35, 1.0)]
        amount = torch.maximum(amount, ellipsoid(thorax, place, radii, border))
    amount = amount * (look.density * (1 + 0.18 * texture)).clamp(0, 1) * lung.mask
    return fill(attenuation, amount, CONSOLIDATED)


def consolidation(
    thorax: Thorax,
    attenuation: torch.Tensor,
    *,
    side: str | None,
    zone: str | None,
    severity: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Fill air spaces with exudate: one dense region with a ragged border."""
    look = _Opacity(radius=22 + 26 * severity, density=0.70 + 0.25 * severity, edge=0.14, raggedness=0.14)
    return _insert(look, thorax, attenuation, side, zone, generator)


def lung_opacity(
    thorax: Thorax,
    attenuation: torch.Tensor,
    *,
    side: str | None,
    zone: str | None,
    severity: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Add a hazy opacity through which vessels remain visible (ground glass)."""
    look = _Opacity(radius=28 + 24 * severity, density=0.25 + 0.35 * severity, edge=0.28, raggedness=0.16)
    return _insert(look, thorax, attenuation, side, zone, generator)


def pneumonia(
    thorax: Thorax,
    attenuation: torch.Tensor,
    *,
    side: str | None,
    zone: str | None,
    severity: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Add patchy, confluent air-space opacities around one focus."""
    look = _Opacity(radius=16 + 18 * severity, density=0.45 + 0.4 * severity, edge=0.2, raggedness=0.25, patches=4)
    return _insert(look, thorax, attenuation, side, zone, generator)


def atelectasis(
    thorax: Thorax,
    attenuation: torch.Tensor,
    *,
    side: str | None,
    zone: str | None,
    severity: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Collapse the lung along nearly horizontal plates, and crowd the lung around them."""
    lung = thorax.lung(side)
    z, y, x = coordinates(thorax)
    centre = draw_centre(lung, zone, generator, depth=20.0)
    noise = smooth_noise(attenuation.shape, (6, 8, 10), generator)
    amount = torch.zeros_like(attenuation)
    for plate in range(3):
        tilt = math.tan(math.radians(uniform(-22, 22, generator)))
        slope = math.tan(math.radians(uniform(-15, 15, generator)))
        drop = uniform(-20, 20, generator) if plate else 0.0
        length, thickness = uniform(30, 42, generator), uniform(3.0, 4.5, generator)
        if plate > 3 * severity:
            continue
        c = [p * s for p, s in zip(centre, thorax.spacing)]
        height = z - c[0] - drop - tilt * (x - c[2]) - slope * (y - c[1]) - 3 * noise
        radial = ((x - c[2]) ** 2 + (y - c[1]) ** 2).sqrt()
        sheet = torch.exp(-((height / (thickness * (0.7 + severity))) ** 2))
        amount = torch.maximum(amount, sheet * torch.sigmoid((length * (0.8 + 0.6 * severity) - radial) / 6))
    crowded = 0.22 * severity * ellipsoid(thorax, centre, (34, 50, 46), Border(noise, 0.35, 0.1))
    return fill(attenuation, torch.maximum(amount * 0.85, crowded) * lung.mask, CONSOLIDATED)


def edema(
    thorax: Thorax,
    attenuation: torch.Tensor,
    *,
    side: str | None,
    zone: str | None,
    severity: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Add interstitial and alveolar fluid to both lungs: haze around the hila and at the bases, septal lines."""
    z, y, x = coordinates(thorax)
    haze = smooth_noise(attenuation.shape, (9, 8, 12), generator)
    lines = smooth_noise(attenuation.shape, (45, 30, 60), generator)
    spread = uniform(48, 64, generator)
    for lung in thorax.lungs.values():
        h = [p * s for p, s in zip(lung.hilum, thorax.spacing)]
        distance = ((z - h[0]) ** 2 + 0.5 * (y - h[1]) ** 2 + (x - h[2]) ** 2).sqrt()
        low = ((z - lung.apex * thorax.spacing[0]) / ((lung.base - lung.apex) * thorax.spacing[0])).clamp(0, 1)
        amount = torch.exp(-((distance / spread) ** 2)) + 0.35 * low
        amount = amount * (1 + 0.25 * haze + 0.3 * lines) * (0.08 + 0.42 * severity)
        attenuation = fill(attenuation, amount.clamp(0, 1) * lung.mask, CONSOLIDATED)
    return attenuation
