"""Exposure and processing: from line integrals to a radiograph, with scatter, blur, sharpening and noise."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

from x2x_core.common.randomness import smooth_noise, uniform
from x2x_core.imaging.blur import blur


@dataclass(frozen=True)
class Film:
    """Exposure and processing of a radiograph; the same for both images of a pair."""

    beam: float = 1.0  # weight of bone relative to soft tissue: low for a hard beam
    level: float = 0.5  # grey level of the middle tone, before contrast
    contrast: float = 1.0  # slope of the tone curve
    toe: float = 1.0  # gamma after the tone curve
    scatter: float = 0.15  # share of scattered radiation
    blur_px: float = 0.6  # standard deviation of the detector's blur, in pixels at 256
    sharpen: float = 0.0  # strength of unsharp masking
    noise: float = 0.006  # standard deviation of the noise, in grey levels of [0, 1]
    grain_px: float = 0.5  # correlation length of the noise, in pixels at 256

    def as_dict(self) -> dict[str, float]:
        """Return the attributes by name."""
        return asdict(self)


def sample_film(generator: torch.Generator) -> Film:
    """Draw an exposure and its processing."""

    def draw(low: float, high: float) -> float:
        return uniform(low, high, generator)

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
    """Tone curve of a pair, set on its first image: two line integrals in mm of water and the scatter `(H, W)`."""

    low: float
    high: float
    veil: torch.Tensor


def meter(integrals: torch.Tensor, film: Film) -> Exposure:
    """Set the exposure for line integrals `(H, W)` in mm of water, as automatic exposure control does."""
    body = integrals[integrals > 30]
    body = body if body.numel() > 100 else integrals.flatten()
    low, high = torch.quantile(body, torch.tensor([0.06, 0.97])).tolist()
    light = torch.exp(-integrals / 70.0)
    veil = film.scatter * blur(light[None], integrals.shape[-1] / 9)[0]
    return Exposure(low, max(high, low + 1.0), veil)


def expose(integrals: torch.Tensor, film: Film, exposure: Exposure) -> torch.Tensor:
    """Turn line integrals `(C, H, W)` in mm of water into grey `(C, H, W)` in [0, 1], dense tissue white."""
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
    """Draw detector noise `(H, W)` with zero mean and standard deviation `film.noise`."""
    noise = torch.randn((1, *shape), generator=generator)
    noise = blur(noise, film.grain_px * shape[1] / 256)
    return film.noise * (noise / noise.std().clamp_min(1e-6))[0]


def uneven(size: int, generator: torch.Generator) -> torch.Tensor:
    """Draw a slow drift of exposure over the detector (mm of water), `(size, size)`: heel effect, grid cut-off."""
    return uniform(0, 9, generator) * smooth_noise((2, size, size), (1, 2, 2), generator)[0]
