"""Simulate the pairs of a planned body, see `x2x_core.simulation.plan`."""

from __future__ import annotations

from collections.abc import Set

import torch

from x2x_core.common.randomness import uniform
from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction

from .findings import SIMULATED_FINDINGS
from .lesions import Lesion, draw_seed, draw_severity, ordered, sample_lesion
from .pairs import SimulatedPair, draw_body, simulate_scenarios
from .plan import Cell, PlannedBody
from .scenario import Scenario
from .settings import ANY_RESTING
from .thorax import Thorax


def simulate_planned(thorax: Thorax, body: PlannedBody, generator: torch.Generator, size: int) -> list[SimulatedPair]:
    """Simulate the pairs of a planned body at `size` x `size` pixels.

    The pairs of a triple share the image before. Their attributes have the triple's number as "triple", those of all
    other pairs ``None``.
    """
    drawn, _ = draw_body(generator, 0, "v2")
    scenarios = planned_scenarios(body, generator)
    seeds = torch.randint(2**31, (len(scenarios),), generator=generator).tolist()
    if body.triple is not None:
        seeds[: body.series] = [seeds[0]] * body.series
    films = [torch.Generator().manual_seed(seed) for seed in seeds]
    pairs = simulate_scenarios(thorax, scenarios, drawn, generator, size=size, films=films)
    for number, pair in enumerate(pairs):
        pair.attributes["triple"] = triple_of(body, number)
    return pairs


def triple_of(body: PlannedBody, number: int) -> int | None:
    """Return the triple that the n-th pair of a body belongs to, or ``None``."""
    return body.triple if number < body.series else None


def planned_scenarios(body: PlannedBody, generator: torch.Generator, shown: Set[str] = frozenset()) -> list[Scenario]:
    """Draw the scenarios of a planned body, one for each cell.

    Args:
        body: its cells.
        generator: draws severities, shapes and findings that do not change.
        shown: findings that the body shows already; none of them is drawn.
    """
    draws = [_draw(cell, generator, shown) for cell in body.cells]
    if body.triple is not None:
        draws[: body.series] = [draws[0]] * body.series
    return [_scenario(cell, seed, resting, generator) for cell, (seed, resting) in zip(body.cells, draws)]


def _draw(cell: Cell, generator: torch.Generator, shown: Set[str]) -> tuple[int, tuple[Lesion, ...]]:
    """Draw the seed of the lesion's shape, and a resting lesion or none."""
    seed = draw_seed(generator)
    others = [finding for finding in SIMULATED_FINDINGS if finding != cell.finding and finding not in shown]
    if not others:
        return seed, ()
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
