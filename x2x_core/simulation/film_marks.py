"""Marks that radiographs carry: arms beside the chest, collimation borders, side markers, wires and tubes."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform


def arms(size: int, field_mm: float, generator: torch.Generator) -> torch.Tensor:
    """Draw line integrals (mm of water) of two hanging upper arms with their bones, `(size, size)`."""
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
    """Draw collimation, side marker and wires on both images `(C, H, W)` in [0, 1], each by chance."""
    pair = _wires(pair, generator) if uniform(0, 1, generator) < 0.25 else pair
    pair = _marker(pair, generator) if uniform(0, 1, generator) < 0.55 else pair
    return _collimate(pair, generator) if uniform(0, 1, generator) < 0.4 else pair


def _collimate(pair: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw borders, black or (rarely) white, on any of the four sides."""
    size = pair.shape[-1]
    value = 0.0 if uniform(0, 1, generator) < 0.85 else 1.0
    widths = [int(uniform(0, 0.07, generator) * size) * (uniform(0, 1, generator) < 0.5) for _ in range(4)]
    keep = torch.zeros(pair.shape[-2:])
    keep[widths[0] : size - widths[1], widths[2] : size - widths[3]] = 1
    return pair * keep + value * (1 - keep)


def _marker(pair: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw a lead letter in an upper corner: R on the image's left, L on its right."""
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
    """Draw leads and tubes: thin bright curves across the chest."""
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
