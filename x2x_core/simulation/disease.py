"""Put disease into the volume: each finding is a function from a chest to its attenuation.

Every function takes a `Thorax`, the attenuation to change (`(Z, Y, X)`, 1 = water), where, how much
(`severity` in (0, 1], see `SEVERITY` in `x2x_core.simulation.scenario`) and a generator that draws the shape. The same
generator state gives the same lesion at another severity: that is how a change of level keeps its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F

from x2x_core.common.randomness import smooth_noise, uniform

from .thorax import Lung, Thorax

#: Attenuation relative to water.
FLUID, CONSOLIDATED, AIR = 1.02, 0.98, 0.0

#: Borders between zones, as shares of the way from the apex to the zone floor (see `zone_floor`).
ZONES = {"upper": (0.0, 0.36), "middle": (0.32, 0.68), "lower": (0.64, 1.0)}

Disease = Callable[..., torch.Tensor]


def zone_floor(lung: Lung) -> float:
    """Voxel z down to which a lung is seen on a frontal radiograph: a little below its diaphragm's dome."""
    return lung.dome + 0.35 * (lung.base - lung.dome)


def coordinates(thorax: Thorax) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Positions in mm along z, y and x, shaped to broadcast to `(Z, Y, X)`."""
    axes = [torch.arange(n, dtype=torch.float32) * s for n, s in zip(thorax.soft.shape, thorax.spacing)]
    return axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]


def fill(attenuation: torch.Tensor, amount: torch.Tensor, density: float) -> torch.Tensor:
    """Replace the share `amount` in [0, 1] of what is lighter than `density` by `density`."""
    return attenuation + amount * (density - attenuation).clamp_min(0)


def pleural_effusion(thorax, attenuation, *, side, zone, severity, generator):
    """Free fluid in the pleural space: a level with a meniscus that climbs the chest wall.

    The recess behind the diaphragm fills first; in a deep breath it takes about the lowest 0.4 of a lung's height. So
    a small effusion ends under the dome and blunts the angle, a moderate one stands above it, and a large one covers
    about half of the lung that is seen.
    """
    lung = thorax.lungs[side]
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


def _centre(lung: Lung, zone: str, generator: torch.Generator, depth: float = 14.0) -> tuple[int, int, int]:
    """A point inside the lung, in its zone, well away from the pleura."""
    low, high = ZONES[zone]
    span = zone_floor(lung) - lung.apex
    top, bottom = lung.apex + (low + 0.08) * span, lung.apex + (high - 0.08) * span
    rows = slice(int(top), max(int(bottom), int(top) + 1))
    inside = (lung.depth[rows] > depth).nonzero()
    if len(inside) == 0:
        inside = (lung.depth[rows] > 0).nonzero()
    pick = inside[int(torch.randint(len(inside), (), generator=generator))].tolist()
    return pick[0] + rows.start, pick[1], pick[2]


def _blob(thorax: Thorax, centre, radii_mm, noise: torch.Tensor, edge: float, warp: float) -> torch.Tensor:
    """A soft ellipsoid with a ragged border, in [0, 1]."""
    z, y, x = coordinates(thorax)
    c = [p * s for p, s in zip(centre, thorax.spacing)]
    squared = ((z - c[0]) / radii_mm[0]) ** 2 + ((y - c[1]) / radii_mm[1]) ** 2 + ((x - c[2]) / radii_mm[2]) ** 2
    return torch.sigmoid((1 - squared.sqrt() + warp * noise) / edge)


def _opacity(thorax, attenuation, side, zone, generator, *, radius, density, edge, warp, patches=1):
    lung = thorax.lungs[side]
    centre = _centre(lung, zone, generator)
    noise = smooth_noise(attenuation.shape, (14, 11, 18), generator)
    grain = smooth_noise(attenuation.shape, (40, 28, 50), generator)
    amount = torch.zeros_like(attenuation)
    for patch in range(patches):
        shift = [uniform(-1, 1, generator) * radius * 0.7 * (patch > 0) for _ in range(3)]
        place = [c + d / s for c, d, s in zip(centre, shift, thorax.spacing)]
        radii = [radius * uniform(0.8, 1.2, generator) * f for f in (0.9, 1.35, 1.0)]
        amount = torch.maximum(amount, _blob(thorax, place, radii, noise, edge, warp))
    amount = amount * (density * (1 + 0.18 * grain)).clamp(0, 1) * lung.mask
    return fill(attenuation, amount, CONSOLIDATED)


def consolidation(thorax, attenuation, *, side, zone, severity, generator):
    """Air spaces filled with exudate: one dense region with a ragged border."""
    return _opacity(
        thorax, attenuation, side, zone, generator,
        radius=22 + 26 * severity, density=0.70 + 0.25 * severity, edge=0.14, warp=0.14,
    )  # fmt: skip


def lung_opacity(thorax, attenuation, *, side, zone, severity, generator):
    """A hazy opacity through which vessels still show (ground glass)."""
    return _opacity(
        thorax, attenuation, side, zone, generator,
        radius=28 + 24 * severity, density=0.25 + 0.35 * severity, edge=0.28, warp=0.16,
    )  # fmt: skip


def pneumonia(thorax, attenuation, *, side, zone, severity, generator):
    """Patchy, confluent air-space opacities around one focus."""
    return _opacity(
        thorax, attenuation, side, zone, generator,
        radius=16 + 18 * severity, density=0.45 + 0.4 * severity, edge=0.2, warp=0.25, patches=4,
    )  # fmt: skip


def atelectasis(thorax, attenuation, *, side, zone, severity, generator):
    """Plates of collapsed lung, nearly horizontal, with crowding of the lung around them."""
    lung = thorax.lungs[side]
    z, y, x = coordinates(thorax)
    centre = _centre(lung, zone, generator, depth=20.0)
    noise = smooth_noise(attenuation.shape, (6, 8, 10), generator)
    amount = torch.zeros_like(attenuation)
    for plate in range(3):
        tilt = math.tan(math.radians(uniform(-22, 22, generator)))
        slope = math.tan(math.radians(uniform(-15, 15, generator)))
        drop = uniform(-20, 20, generator) if plate else 0.0
        length, thick = uniform(30, 42, generator), uniform(3.0, 4.5, generator)
        if plate > 3 * severity:
            continue
        c = [p * s for p, s in zip(centre, thorax.spacing)]
        height = z - c[0] - drop - tilt * (x - c[2]) - slope * (y - c[1]) - 3 * noise
        radial = ((x - c[2]) ** 2 + (y - c[1]) ** 2).sqrt()
        sheet = torch.exp(-((height / (thick * (0.7 + severity))) ** 2))
        amount = torch.maximum(amount, sheet * torch.sigmoid((length * (0.8 + 0.6 * severity) - radial) / 6))
    crowded = 0.22 * severity * _blob(thorax, centre, (34, 50, 46), noise, 0.35, 0.1)
    return fill(attenuation, torch.maximum(amount * 0.85, crowded) * lung.mask, CONSOLIDATED)


def edema(thorax, attenuation, *, side, zone, severity, generator):
    """Interstitial and alveolar fluid of both lungs: haze around the hila and towards the bases, septal lines."""
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


def pneumothorax(thorax, attenuation, *, side, zone, severity, generator):
    """Air around a lung that has drawn back from the chest wall: no vessels outside a thin visceral line."""
    lung = thorax.lungs[side]
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


def cardiomegaly(thorax, attenuation, *, side, zone, severity, generator):
    """An enlarged heart: the volume is stretched around the heart's centre, most to the left and downwards."""
    return warp(attenuation, _heart_growth(thorax, severity, generator))


def with_enlarged_heart(thorax: Thorax, *, severity: float, generator: torch.Generator) -> Thorax:
    """The chest that `cardiomegaly` leaves: its lungs give way, so that no later finding is put into the heart.

    The distances of a lung move with its tissue: squeezed between heart and wall, it keeps all of its way to the wall.
    """
    volumes = [volume for lung in thorax.lungs.values() for volume in (lung.mask, lung.depth, lung.wall)]
    moved = warp(torch.stack([thorax.heart, *volumes]), _heart_growth(thorax, severity, generator))
    lungs = {
        side: replace(lung, mask=mask, depth=depth, wall=wall)
        for (side, lung), (mask, depth, wall) in zip(thorax.lungs.items(), moved[1:].split(3))
    }
    return replace(thorax, lungs=lungs, heart=moved[0])


def _heart_growth(thorax: Thorax, severity: float, generator: torch.Generator) -> list[torch.Tensor]:
    """Where each voxel of an enlarged heart's chest comes from: displacements in voxels for z, y and x."""
    centre = [c * s for c, s in zip(thorax.heart_centre, thorax.spacing)]
    growth = (0.12 + 0.62 * severity) * uniform(0.95, 1.05, generator)
    skew = uniform(0.0, 0.15, generator)
    radii = (85.0, 95.0, 125.0)
    offset = [p - c for p, c in zip(coordinates(thorax), centre)]
    squared = sum((o / r) ** 2 for o, r in zip(offset, radii))
    shrink = growth * torch.exp(-((squared / 0.55) ** 2)) / (1 + growth)
    sideways = shrink * (1 + skew * torch.sign(offset[2]))
    pull = (0.45 * shrink, 0.7 * shrink, sideways)
    return [-o * p / s for o, p, s in zip(offset, pull, thorax.spacing)]


def warp(volume: torch.Tensor, displacement: list[torch.Tensor]) -> torch.Tensor:
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


#: What the simulator can draw, by the finding's canonical name.
DISEASES: dict[str, Disease] = {
    "pleural effusion": pleural_effusion,
    "consolidation": consolidation,
    "lung opacity": lung_opacity,
    "pneumonia": pneumonia,
    "atelectasis": atelectasis,
    "edema": edema,
    "cardiomegaly": cardiomegaly,
    "pneumothorax": pneumothorax,
}

#: Findings that move the anatomy, with what they make of the chest; the rest only fill it.
DEFORMATIONS: dict[str, Callable[..., Thorax]] = {"cardiomegaly": with_enlarged_heart}

#: Findings that are drawn in one zone of a lung.
ZONAL = frozenset({"consolidation", "lung opacity", "pneumonia", "atelectasis"})
#: Findings that are drawn on one side.
SIDED = ZONAL | {"pleural effusion", "pneumothorax"}
