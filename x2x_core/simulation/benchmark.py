"""The plan of the benchmark's pairs: every finding, operation, level, side and zone, as evenly as can be.

`sample_scenario` draws what training is made of; a benchmark should not leave to chance what it asks. Here each pair is
one clause, fully worded (level, side and zone), chosen so that all combinations come up as evenly as can be: of all
cells of the least asked finding, the one whose settings, alone, in twos and in threes, were asked least.

Some bodies hold a *triple*: one lesion added to one picture, weak, moderate and strong. It shows whether an edit obeys
the level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.randomness import uniform
from x2x_core.common.seeds import BODY, seeded_generator
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction

from .disease import DISEASES, SIDED, ZONAL, ZONES
from .pairs import SimulatedPair, draw_body, simulate_scenarios
from .scenario import Lesion, Resting, Scenario, draw_severity, levels_of, ordered, sample_lesion
from .thorax import Thorax

PAIRS_PER_BODY = 5
TRIPLE = 3  # pairs to a triple: its levels are the finding's strongest three
BODIES_WITH_TRIPLE = (0, 2)  # of every `PAIRS_PER_BODY` bodies
PLAN_NUMBER = 2**31 - 1  # of the generator that draws the plan: no body has this number


@dataclass(frozen=True)
class Cell:
    """What one pair asks for. `level` is that of the lesion, for a change the new one."""

    finding: str
    operation: Operation
    side: str | None
    zone: str | None
    level: str
    level_from: str | None = None

    def clause(self) -> Clause:
        """In the instruction language, with everything said."""
        return Clause(self.operation, self.finding, self.side, self.zone, level=self.level, level_from=self.level_from)


@dataclass(frozen=True)
class PlannedBody:
    """The pairs of one body, and of which triple the first `TRIPLE` of them are."""

    cells: tuple[Cell, ...]
    triple: int | None = None


def cells_of(finding: str) -> tuple[Cell, ...]:
    """Everything that can be asked of a finding."""
    sides = ("left", "right") if finding in SIDED else (None,)
    sides += ("bilateral",) if finding == "pleural effusion" else ()
    places = [(side, zone) for side in sides for zone in (tuple(ZONES) if finding in ZONAL else (None,))]
    levels = levels_of(finding)
    found = []
    for side, zone in places:
        found += [
            Cell(finding, one, side, zone, level) for one in (Operation.ADD, Operation.REMOVE) for level in levels
        ]
        found += [
            Cell(finding, Operation.CHANGE, side, zone, new, old) for old in levels for new in levels if old != new
        ]
    return tuple(found)


@lru_cache(maxsize=4)
def plan_bodies(count: int, seed: int) -> tuple[PlannedBody, ...]:
    """The plan of `count` bodies; that of fewer bodies is its beginning.

    Raises:
        InputError: no bodies.
    """
    if count < 1:
        raise InputError(f"`count` of bodies must be at least 1, got {count}.")
    generator = seeded_generator(seed, BODY, PLAN_NUMBER)
    cells = {finding: _shuffled(cells_of(finding), generator) for finding in DISEASES}
    asked: Counter = Counter()
    bodies, triples = [], 0
    for number in range(count):
        chosen: list[Cell] = []
        triple = triples if number % PAIRS_PER_BODY in BODIES_WITH_TRIPLE else None
        if triple is not None:
            chosen += _triple(cells[tuple(DISEASES)[triple % len(DISEASES)]], asked)
            triples += 1
        while len(chosen) < PAIRS_PER_BODY:
            finding = min(cells, key=lambda name: asked["finding", name])
            chosen.append(_least_asked(cells[finding], asked))
        bodies.append(PlannedBody(tuple(chosen), triple))
    return tuple(bodies)


def _shuffled(cells: tuple[Cell, ...], generator: torch.Generator) -> list[Cell]:
    return [cells[place] for place in torch.randperm(len(cells), generator=generator).tolist()]


def _settings(cell: Cell) -> Iterator[tuple]:
    """What a cell counts under: its finding, and within it its settings alone, in twos and in threes."""
    yield "finding", cell.finding
    parts = [("operation", cell.operation), ("side", cell.side), ("zone", cell.zone), ("level", cell.level)]
    for size in (1, 2, 3):
        yield from ((cell.finding, *some) for some in combinations(parts, size))
    yield cell.finding, cell


def _least_asked(cells: list[Cell], asked: Counter) -> Cell:
    chosen = min(cells, key=lambda cell: sum(asked[one] for one in _settings(cell)))
    asked.update(_settings(chosen))
    return chosen


def _triple(cells: list[Cell], asked: Counter) -> list[Cell]:
    """One lesion added at the finding's strongest three levels, in the place asked least."""
    finding = cells[0].finding
    strongest = levels_of(finding)[-1]
    first = _least_asked([c for c in cells if c.operation is Operation.ADD and c.level == strongest], asked)
    weaker = [Cell(finding, Operation.ADD, first.side, first.zone, level) for level in levels_of(finding)[-TRIPLE:-1]]
    for cell in weaker:
        asked.update(_settings(cell))
    return [*weaker, first]


def simulate_planned(thorax: Thorax, body: PlannedBody, generator: torch.Generator, size: int) -> list[SimulatedPair]:
    """Simulate the pairs of a planned body at `size` x `size` pixels.

    The pairs of a triple share the picture before; their attributes hold its number as "triple" (elsewhere ``None``).
    """
    geometry, beam, _ = draw_body(generator, 0, "v2")
    scenarios = _scenarios(body, generator)
    films = torch.randint(2**31, (len(scenarios),), generator=generator).tolist()
    if body.triple is not None:
        films[:TRIPLE] = [films[0]] * TRIPLE
    films = [torch.Generator().manual_seed(seed) for seed in films]
    made = simulate_scenarios(thorax, scenarios, geometry, beam, generator, size=size, films=films)
    for number, pair in enumerate(made):
        pair.attributes["triple"] = body.triple if number < TRIPLE else None
    return made


def _scenarios(body: PlannedBody, generator: torch.Generator) -> list[Scenario]:
    draws = [_draw(cell, generator) for cell in body.cells]
    if body.triple is not None:
        draws[:TRIPLE] = [draws[0]] * TRIPLE
    return [_scenario(cell, *drawn, generator) for cell, drawn in zip(body.cells, draws)]


def _draw(cell: Cell, generator: torch.Generator) -> tuple[int, tuple[Lesion, ...]]:
    """The seed of the lesion's shape, and what else is there."""
    seed = int(torch.randint(2**31, (), generator=generator))
    others = [finding for finding in DISEASES if finding != cell.finding]
    other = others[int(torch.randint(len(others), (), generator=generator))]
    resting = (sample_lesion(generator, other),) if uniform(0, 1, generator) < Resting().share else ()
    return seed, resting


def _scenario(cell: Cell, seed: int, resting: tuple[Lesion, ...], generator: torch.Generator) -> Scenario:
    lesion, old = (
        Lesion(cell.finding, cell.side, cell.zone, level, draw_severity(level, generator), seed)
        for level in (cell.level, cell.level_from or cell.level)
    )
    before = {Operation.ADD: (), Operation.REMOVE: (lesion,), Operation.CHANGE: (old,)}[cell.operation]
    after = () if cell.operation is Operation.REMOVE else (lesion,)
    words = Instruction(clauses=(cell.clause(),))
    return Scenario(ordered((*resting, *before)), ordered((*resting, *after)), words)


def coverage(instructions: list[Instruction]) -> dict[str, dict[str, int]]:
    """How many instructions ask for each finding, operation, level, side and zone ("none": without)."""
    names = ("finding", "operation", "level", "side", "zone")
    counts = {name: Counter() for name in names}
    for clause in (clause for one in instructions for clause in one.clauses):
        for name in names:
            value = getattr(clause, name)
            counts[name][value.value if isinstance(value, Operation) else value or "none"] += 1
    return {name: dict(sorted(found.items())) for name, found in counts.items()}


def missing_cells(instructions: list[Instruction]) -> list[str]:
    """What no instruction asks for, of each finding's operations, levels, sides and zones, in words."""
    clauses = [clause for one in instructions for clause in one.clauses]
    missing = []
    for finding in DISEASES:
        for name in ("operation", "level", "side", "zone"):
            wanted = dict.fromkeys(getattr(cell, name) for cell in cells_of(finding))
            found = {getattr(clause, name) for clause in clauses if clause.finding == finding}
            missing += [f"{finding}: {name} {getattr(one, 'value', one)}" for one in wanted if one not in found]
    return missing
