"""From line integrals to a radiograph: exposure, scatter, sharpness, noise, borders, markers, arms, wires."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

from x2x_core.common.randomness import smooth_noise, uniform
from x2x_core.imaging.blur import blur


@dataclass(frozen=True)
class Film:
    """How a radiograph was exposed and processed; the same for both images of a pair."""

    beam: float = 1.0  # weight of bone against soft tissue: low for a hard beam
    level: float = 0.5  # grey of the middle tone, before contrast
    contrast: float = 1.0  # slope of the tone curve
    toe: float = 1.0  # gamma after the tone curve
    scatter: float = 0.15  # share of the light that is a veil
    blur_px: float = 0.6  # spread of the detector, pixels at 256
    sharpen: float = 0.0  # strength of unsharp masking
    noise: float = 0.006  # spread of the grain, in grey levels of [0, 1]
    grain_px: float = 0.5  # correlation length of the grain

    def as_dict(self) -> dict:
        """The attributes by name."""
        return asdict(self)


def sample_film(generator: torch.Generator) -> Film:
    """Draw an exposure and its processing."""
    draw = lambda low, high: uniform(low, high, generator)  # noqa: E731
    return Film(
        beam=draw(0.5, 1.6),
        level=draw(0.46, 0.74),
        contrast=draw(0.75, 1.45),
        toe=draw(0.75, 1.35),
        scatter=draw(0.02, 0.35),
        blur_px=draw(0.0, 1.1),
        sharpen=draw(0.0, 1.4) if draw(0, 1) < 0.6 else 0.0,
        noise=draw(0.001, 0.018),
        grain_px=draw(0.0, 1.0),
    )


@dataclass(frozen=True)
class Exposure:
    """The tone curve of one pair, fixed on its first image: `(H, W)` veil and two numbers."""

    low: float
    high: float
    veil: torch.Tensor


def meter(integrals: torch.Tensor, film: Film) -> Exposure:
    """Set the exposure by a line-integral image `(H, W)` in mm of water, as automatic exposure does."""
    body = integrals[integrals > 30]
    body = body if body.numel() > 100 else integrals.flatten()
    low, high = torch.quantile(body, torch.tensor([0.06, 0.97])).tolist()
    light = torch.exp(-integrals / 70.0)
    veil = film.scatter * blur(light[None], integrals.shape[-1] / 9)[0]
    return Exposure(low, max(high, low + 1.0), veil)


def expose(integrals: torch.Tensor, film: Film, exposure: Exposure) -> torch.Tensor:
    """Line integrals `(C, H, W)` in mm of water to grey `(C, H, W)` in [0, 1], dense tissue white."""
    size = integrals.shape[-1]
    light = torch.exp(-integrals / 70.0) + exposure.veil
    density = -70.0 * torch.log(light.clamp_min(1e-6))
    density = blur(density, film.blur_px * size / 256)
    if film.sharpen:
        density = density + film.sharpen * (density - blur(density, 2.5 * size / 256))
    tone = (density - exposure.low) / (exposure.high - exposure.low)
    curve = torch.sigmoid(3.6 * film.contrast * (tone - 1.05 + film.level))
    return curve.clamp(0, 1) ** film.toe


def grain(shape: tuple[int, int], film: Film, generator: torch.Generator) -> torch.Tensor:
    """Detector noise `(H, W)`: zero mean, spread `film.noise`."""
    noise = torch.randn((1, *shape), generator=generator)
    noise = blur(noise, film.grain_px * shape[1] / 256)
    return film.noise * (noise / noise.std().clamp_min(1e-6))[0]


def arms(size: int, field_mm: float, generator: torch.Generator) -> torch.Tensor:
    """Line integrals (mm of water) of two hanging upper arms with their bones, `(size, size)`."""
    axis = ((torch.arange(size, dtype=torch.float32) + 0.5) / size - 0.5) * field_mm
    z, x = axis[:, None], axis[None, :]
    total = torch.zeros(size, size)
    top = uniform(-130, -95, generator)
    for sign in (-1, 1):
        middle = sign * (uniform(196, 222, generator) + uniform(-0.02, 0.14, generator) * (z - top))
        radius = uniform(36, 50, generator) * (1 - 0.0006 * (z - top))
        below = torch.sigmoid((z - top + 0.55 * (x - middle).abs()) / 6)
        flesh = 2 * (radius**2 - (x - middle) ** 2).clamp_min(0).sqrt()
        bone = 2 * (12.0**2 - (x - middle) ** 2).clamp_min(0).sqrt()
        marrow = 2 * (7.0**2 - (x - middle) ** 2).clamp_min(0).sqrt()
        total += below * (flesh + 0.8 * (bone - 0.7 * marrow))
    return total


def decorate(pair: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw on both images `(C, H, W)` what radiographs carry: collimation, marker, wires. Values in [0, 1]."""
    pair = _wires(pair, generator) if uniform(0, 1, generator) < 0.25 else pair
    pair = _marker(pair, generator) if uniform(0, 1, generator) < 0.55 else pair
    return _collimate(pair, generator) if uniform(0, 1, generator) < 0.4 else pair


def _collimate(pair: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Borders, black or (rarely) white, on any of the four sides."""
    size = pair.shape[-1]
    value = 0.0 if uniform(0, 1, generator) < 0.85 else 1.0
    widths = [int(uniform(0, 0.07, generator) * size) * (uniform(0, 1, generator) < 0.5) for _ in range(4)]
    keep = torch.zeros(pair.shape[-2:])
    keep[widths[0] : size - widths[1], widths[2] : size - widths[3]] = 1
    return pair * keep + value * (1 - keep)


def _marker(pair: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A lead letter in an upper corner: R on the image's left, L on its right."""
    import cv2
    import numpy as np

    size = pair.shape[-1]
    canvas = np.zeros((size, size), np.uint8)
    is_left = uniform(0, 1, generator) < 0.5
    across = uniform(0.86, 0.93, generator) if is_left else uniform(0.03, 0.09, generator)
    place = (int(across * size), int(uniform(0.07, 0.2, generator) * size))
    scale = uniform(0.5, 0.9, generator) * size / 256
    cv2.putText(canvas, "L" if is_left else "R", place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, max(1, size // 150))
    drawn = torch.from_numpy(canvas.astype("float32") / 255) * uniform(0.6, 1.0, generator)
    return torch.maximum(pair, drawn)


def _wires(pair: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Leads and tubes: thin bright curves across the chest."""
    import cv2
    import numpy as np

    size = pair.shape[-1]
    canvas = np.zeros((size, size), np.uint8)
    for _ in range(1 + int(torch.randint(3, (), generator=generator))):
        ends = torch.rand((4, 2), generator=generator)
        t = torch.linspace(0, 1, 60)[:, None]
        bezier = (1 - t) ** 3 * ends[0] + 3 * t * (1 - t) ** 2 * ends[1] + 3 * t**2 * (1 - t) * ends[2] + t**3 * ends[3]
        points = (bezier * size * 8).round().int().numpy().reshape(-1, 1, 2)
        cv2.polylines(canvas, [points], False, 255, max(1, size // 220), cv2.LINE_AA, 3)
    drawn = torch.from_numpy(canvas.astype("float32") / 255) * uniform(0.1, 0.3, generator)
    return (pair + drawn * (1 - pair)).clamp(0, 1)


def uneven(size: int, generator: torch.Generator) -> torch.Tensor:
    """A slow drift of exposure over the detector (mm of water), `(size, size)`: heel effect, grid cut-off."""
    return uniform(0, 9, generator) * smooth_noise((2, size, size), (1, 2, 2), generator)[0]
