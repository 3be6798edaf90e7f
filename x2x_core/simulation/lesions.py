"""Lesions: one finding in one place, drawn at random."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from x2x_core.common.randomness import uniform

from .findings import SEVERITY, SIDED, SIMULATED_FINDINGS, ZONAL, ZONES, levels_of

_BILATERAL_SHARE = 0.12  # of the pleural effusions

_Option = TypeVar("_Option")


@dataclass(frozen=True)
class Lesion:
    """One finding in one place. `seed` determines its shape; `severity` is in (0, 1]."""

    finding: str
    side: str | None
    zone: str | None
    level: str
    severity: float
    seed: int


def choose(options: Sequence[_Option], generator: torch.Generator) -> _Option:
    """Draw one of several options with equal probability."""
    return options[int(torch.randint(len(options), (), generator=generator))]


def draw_seed(generator: torch.Generator) -> int:
    """Draw the seed of a lesion's shape."""
    return int(torch.randint(2**31, (), generator=generator))


def draw_severity(level: str, generator: torch.Generator) -> float:
    """Draw the severity of a lesion of a level, in (0, 1]."""
    return min(1.0, max(0.03, SEVERITY[level] + uniform(-0.05, 0.05, generator)))


def sample_lesion(generator: torch.Generator, finding: str | None = None) -> Lesion:
    """Draw a lesion of a given finding, or of any."""
    finding = finding or choose(SIMULATED_FINDINGS, generator)
    bilateral = finding == "pleural effusion" and uniform(0, 1, generator) < _BILATERAL_SHARE
    side = None
    if finding in SIDED:
        side = "bilateral" if bilateral else choose(("left", "right"), generator)
    zone = choose(tuple(ZONES), generator) if finding in ZONAL else None
    level = choose(levels_of(finding), generator)
    seed = draw_seed(generator)
    return Lesion(finding, side, zone, level, draw_severity(level, generator), seed)


def ordered(lesions: Iterable[Lesion]) -> tuple[Lesion, ...]:
    """Sort lesions into the order in which they are inserted: deformations of the anatomy come first."""
    order = ["cardiomegaly", *SIMULATED_FINDINGS]
    return tuple(sorted(lesions, key=lambda lesion: order.index(lesion.finding)))
