"""Simulate counterfactual pairs: one body, several pairs, every truth beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from x2x_core.common.randomness import uniform
from x2x_core.language.instruction import Instruction

from .film import arms, decorate, expose, grain, meter, sample_film, uneven
from .projection import Geometry, project, ray_grid, sample_geometry
from .scenario import Resting, Scenario, apply_lesions, sample_scenario
from .thorax import Thorax

#: A structure is drawn where rays pass at least this much of it (mm).
SEEN_MM = 6.0


@dataclass(frozen=True)
class SimulatedPair:
    """One pair with its ground truth.

    `before`, `after`: `(1, H, W)` float32 in [0, 1]. `change`: `after - before` `(1, H, W)` in [-1, 1], exactly 0
    where nothing changed. `masks`: `(3, H, W)` bool: right lung, left lung, heart, all of the healthy chest.
    `attributes`: what was drawn.
    """

    before: torch.Tensor
    after: torch.Tensor
    change: torch.Tensor
    masks: torch.Tensor
    instruction: Instruction
    attributes: dict


def simulate_body(
    thorax: Thorax,
    generator: torch.Generator,
    *,
    pairs: int = 5,
    size: int = 256,
    version: str = "mixed",
    resting: Resting = Resting(),
) -> list[SimulatedPair]:
    """Draw one pose and body shape and simulate `pairs` pairs of it at `size` x `size` pixels.

    `version` and `resting` are as in `sample_scenario`.
    """
    geometry, beam, scenarios = draw_body(generator, pairs, version, resting)
    return simulate_scenarios(thorax, scenarios, geometry, beam, generator, size=size)


def simulate_scenarios(
    thorax: Thorax,
    scenarios: Sequence[Scenario],
    geometry: Geometry,
    beam: float,
    generator: torch.Generator,
    *,
    size: int = 256,
    films: Sequence[torch.Generator] | None = None,
) -> list[SimulatedPair]:
    """Simulate a pair of one body for each scenario.

    Args:
        thorax: the body's CT.
        scenarios: what is there before and after.
        geometry, beam: the body's pose, shape and view, and the weight of bone, see `draw_body`.
        generator: draws the elastic variation, arms and background.
        size: pixels to a side.
        films: for each pair what draws its exposure, grain and marks; generators of one seed give one picture before.
            ``None``: all are drawn from `generator`, one after another.
    """
    integrals, masks = project_scenarios(thorax, scenarios, geometry, beam, size, generator)
    if geometry.field_mm > 380 or uniform(0, 1, generator) < 0.4:
        integrals = torch.maximum(integrals, arms(size, geometry.field_mm, generator))
    integrals = integrals + uneven(size, generator)
    made = zip(integrals.split(2), scenarios, films or [generator] * len(scenarios))
    return [_develop(pair, masks, scenario, geometry, beam, film) for pair, scenario, film in made]


def draw_body(
    generator: torch.Generator, pairs: int, version: str, resting: Resting = Resting()
) -> tuple[Geometry, float, list[Scenario]]:
    """A pose with its body shape and view, the beam's weight of bone, and what is wrong in each of `pairs` pairs
    (`version` and `resting` as in `sample_scenario`).
    """
    geometry = sample_geometry(generator)
    beam = sample_film(generator).beam
    return geometry, beam, [sample_scenario(generator, version, resting) for _ in range(pairs)]


def project_scenarios(thorax, scenarios, geometry: Geometry, beam: float, size: int, generator):
    """Line integrals `(2 * len(scenarios), size, size)` (before, after, before, ...) and masks `(3, size, size)`."""
    healthy = thorax.soft + beam * thorax.bone
    wanted = [lesions for scenario in scenarios for lesions in (scenario.before, scenario.after)]
    states = list(dict.fromkeys(wanted))  # the healthy chest, most of all, is in several pairs
    volumes = [apply_lesions(thorax, healthy, lesions) for lesions in states]
    structures = [thorax.lungs["right"].mask, thorax.lungs["left"].mask, thorax.heart]
    grid = ray_grid(tuple(healthy.shape), thorax.spacing, geometry, size, generator)
    projected = project(torch.stack(volumes + structures), grid)
    return projected[[states.index(lesions) for lesions in wanted]], projected[-3:] > SEEN_MM


def _develop(integrals, masks, scenario: Scenario, geometry: Geometry, beam: float, generator) -> SimulatedPair:
    film = sample_film(generator)
    exposure = meter(integrals[0], film)
    grey = expose(integrals, film, exposure)
    grey = (grey + grain(tuple(grey.shape[-2:]), film, generator)).clamp(0, 1)
    before, after = decorate(grey, generator).split(1)
    attributes = {
        "geometry": geometry.as_dict(),
        "film": {**film.as_dict(), "beam": beam},
        "before": [vars(lesion) for lesion in scenario.before],
        "after": [vars(lesion) for lesion in scenario.after],
    }
    return SimulatedPair(before, after, after - before, masks, scenario.instruction, attributes)
