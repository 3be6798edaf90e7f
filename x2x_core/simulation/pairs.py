"""Simulate counterfactual pairs of one body, with the ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.common.randomness import uniform
from x2x_core.language.instruction import Instruction

from .film import expose, grain, meter, sample_film, uneven
from .film_marks import arms, decorate
from .inserting import apply_lesions
from .projection import Geometry, project, ray_grid, sample_geometry
from .scenario import Scenario, sample_scenario
from .settings import ANY_RESTING, DEFAULTS, PAIRS_PER_BODY, Resting
from .thorax import Thorax

#: Rays that pass at least this much of a structure (mm) show it.
SEEN_MM = 6.0


@dataclass(frozen=True)
class Body:
    """Pose, body shape and view, and the weight of bone in the beam; the same for all pairs of a body."""

    geometry: Geometry
    beam: float


@dataclass(frozen=True)
class SimulatedPair:
    """One pair with its ground truth.

    `before` and `after` are `(1, H, W)` float32 in [0, 1]; `change` is `after - before`, `(1, H, W)` in [-1, 1],
    exactly 0 where nothing changed. `masks` is `(3, H, W)` bool: right lung, left lung and heart without disease.
    `attributes` are the pose, exposure and lesions that were drawn.
    """

    before: torch.Tensor
    after: torch.Tensor
    change: torch.Tensor
    masks: torch.Tensor
    instruction: Instruction
    attributes: dict[str, Any]


def simulate_body(
    thorax: Thorax,
    generator: torch.Generator,
    *,
    pairs: int = PAIRS_PER_BODY,
    size: int = DEFAULTS.size,
    version: str = DEFAULTS.version,
    resting: Resting = ANY_RESTING,
) -> list[SimulatedPair]:
    """Draw one body and simulate `pairs` pairs of it at `size` x `size` pixels.

    `version` and `resting` are those of `sample_scenario`.
    """
    body, scenarios = draw_body(generator, pairs, version, resting)
    return simulate_scenarios(thorax, scenarios, body, generator, size=size)


def draw_body(
    generator: torch.Generator, pairs: int, version: str, resting: Resting = ANY_RESTING
) -> tuple[Body, list[Scenario]]:
    """Draw a body and the scenarios of `pairs` pairs; `version` and `resting` are those of `sample_scenario`."""
    body = Body(sample_geometry(generator), sample_film(generator).beam)
    return body, [sample_scenario(generator, version, resting) for _ in range(pairs)]


def simulate_scenarios(
    thorax: Thorax,
    scenarios: Sequence[Scenario],
    body: Body,
    generator: torch.Generator,
    *,
    size: int = DEFAULTS.size,
    films: Sequence[torch.Generator] | None = None,
) -> list[SimulatedPair]:
    """Simulate a pair of one body for each scenario.

    Args:
        thorax: the segmented CT.
        scenarios: the lesions before and after each change.
        body: pose, body shape, view and beam, see `draw_body`.
        generator: draws the elastic variation, arms and background.
        size: width and height in pixels.
        films: for each pair the generator of its exposure, noise and marks; generators with equal seeds give equal
            images before. ``None`` draws all of them from `generator`, one after another.
    """
    integrals, masks = project_scenarios(thorax, scenarios, body, size, generator)
    if body.geometry.field_mm > 380 or uniform(0, 1, generator) < 0.4:
        integrals = torch.maximum(integrals, arms(size, body.geometry.field_mm, generator))
    integrals = integrals + uneven(size, generator)
    return [
        _develop(pair, masks, scenario, body, film)
        for pair, scenario, film in zip(integrals.split(2), scenarios, films or [generator] * len(scenarios))
    ]


def project_scenarios(
    thorax: Thorax, scenarios: Sequence[Scenario], body: Body, size: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Project the volumes before and after each scenario.

    Returns:
        Line integrals `(2 * len(scenarios), size, size)` in mm of water, in the order before, after, before, ..., and
        masks `(3, size, size)` bool of right lung, left lung and heart without disease.
    """
    healthy = thorax.soft + body.beam * thorax.bone
    states = [lesions for scenario in scenarios for lesions in (scenario.before, scenario.after)]
    distinct = list(dict.fromkeys(states))  # several pairs share the healthy chest
    volumes = [apply_lesions(thorax, healthy, lesions) for lesions in distinct]
    structures = [thorax.lungs["right"].mask, thorax.lungs["left"].mask, thorax.heart]
    grid = ray_grid(thorax.shape, thorax.spacing, body.geometry, size, generator)
    projected = project(torch.stack(volumes + structures), grid)
    return projected[[distinct.index(lesions) for lesions in states]], projected[-3:] > SEEN_MM


def _develop(
    integrals: torch.Tensor, masks: torch.Tensor, scenario: Scenario, body: Body, generator: torch.Generator
) -> SimulatedPair:
    """Turn the line integrals `(2, H, W)` of a pair into two radiographs of one exposure."""
    film = sample_film(generator)
    exposure = meter(integrals[0], film)
    grey = expose(integrals, film, exposure)
    height, width = grey.shape[-2:]
    grey = (grey + grain((height, width), film, generator)).clamp(0, 1)
    before, after = decorate(grey, generator).split(1)
    attributes = {
        "geometry": body.geometry.as_dict(),
        "film": {**film.as_dict(), "beam": body.beam},
        "before": [vars(lesion) for lesion in scenario.before],
        "after": [vars(lesion) for lesion in scenario.after],
    }
    return SimulatedPair(before, after, after - before, masks, scenario.instruction, attributes)
