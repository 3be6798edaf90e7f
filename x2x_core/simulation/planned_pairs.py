"""Simulate the pairs of a planned body, see `x2x_core.simulation.plan`."""

from __future__ import annotations

import torch

from x2x_core.common.randomness import uniform
from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction

from .findings import SIMULATED_FINDINGS
from .lesions import Lesion, draw_seed, draw_severity, ordered, sample_lesion
from .pairs import SimulatedPair, draw_body, simulate_scenarios
from .plan import TRIPLE, Cell, PlannedBody
from .scenario import Scenario
from .settings import ANY_RESTING
from .thorax import Thorax


def simulate_planned(thorax: Thorax, body: PlannedBody, generator: torch.Generator, size: int) -> list[SimulatedPair]:
    """Simulate the pairs of a planned body at `size` x `size` pixels.

    The pairs of a triple share the image before. Their attributes have the triple's number as "triple", those of all
    other pairs ``None``.
    """
    drawn, _ = draw_body(generator, 0, "v2")
    scenarios = _scenarios(body, generator)
    seeds = torch.randint(2**31, (len(scenarios),), generator=generator).tolist()
    if body.triple is not None:
        seeds[:TRIPLE] = [seeds[0]] * TRIPLE
    films = [torch.Generator().manual_seed(seed) for seed in seeds]
    pairs = simulate_scenarios(thorax, scenarios, drawn, generator, size=size, films=films)
    for number, pair in enumerate(pairs):
        pair.attributes["triple"] = body.triple if number < TRIPLE else None
    return pairs


def _scenarios(body: PlannedBody, generator: torch.Generator) -> list[Scenario]:
    draws = [_draw(cell, generator) for cell in body.cells]
    if body.triple is not None:
        draws[:TRIPLE] = [draws[0]] * TRIPLE
    return [_scenario(cell, seed, resting, generator) for cell, (seed, resting) in zip(body.cells, draws)]


def _draw(cell: Cell, generator: torch.Generator) -> tuple[int, tuple[Lesion, ...]]:
    """Draw the seed of the lesion's shape, and a resting lesion or none."""
    seed = draw_seed(generator)
    others = [finding for finding in SIMULATED_FINDINGS if finding != cell.finding]
    other = others[int(torch.randint(len(others), (), generator=generator))]
    resting = (sample_lesion(generator, other),) if uniform(0, 1, generator) < ANY_RESTING.share else ()
    return seed, resting


def _scenario(cell: Cell, seed: int, resting: tuple[Lesion, ...], generator: torch.Generator) -> Scenario:
    lesion, old = (
        Lesion(cell.finding, cell.side, cell.zone, level, draw_severity(level, generator), seed)
        for level in (cell.level, cell.level_from or cell.level)
    )
    before = {Operation.ADD: (), Operation.REMOVE: (lesion,), Operation.CHANGE: (old,)}[cell.operation]
    after = () if cell.operation is Operation.REMOVE else (lesion,)
    instruction = Instruction(clauses=(cell.clause(),))
    return Scenario(ordered((*resting, *before)), ordered((*resting, *after)), instruction)
