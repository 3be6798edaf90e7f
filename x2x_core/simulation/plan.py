"""Plan of the pairs of a simulated test set: all findings, operations, levels, sides and zones as evenly as possible.

`sample_scenario` draws random training pairs; a test set should not leave its content to chance. Each planned pair has
one clause with everything stated (level, side and zone). The next cell is taken from the finding planned least often:
the one whose settings, alone and in combinations of two and three, have been planned least often.

Some bodies have a *triple*: one lesion added to one image at three levels. It shows whether edits follow the level. A
plan can also have series of all levels in place of triples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import BODY, seeded_generator
from x2x_core.language.clauses import Clause, Operation

from .findings import SIDED, SIMULATED_FINDINGS, ZONAL, ZONES, levels_of
from .settings import PAIRS_PER_BODY

TRIPLE = 3  # pairs in a triple: one for each of the finding's three strongest levels
BODIES_WITH_TRIPLE = (0, 2)  # of every `PAIRS_PER_BODY` bodies
PLAN_NUMBER = 2**31 - 1  # number of the plan's generator; no body has it

_Counts = Counter[Hashable]


@dataclass(frozen=True)
class Cell:
    """Content of one planned pair; `level` is the lesion's level, after the change if it changes."""

    finding: str
    operation: Operation
    side: str | None
    zone: str | None
    level: str
    level_from: str | None = None

    def clause(self) -> Clause:
        """Return the cell as a clause of the instruction language."""
        return Clause(self.operation, self.finding, self.side, self.zone, level=self.level, level_from=self.level_from)


@dataclass(frozen=True)
class PlannedBody:
    """Cells of one body; the first `series` of them form the triple with the number `triple`, if not ``None``."""

    cells: tuple[Cell, ...]
    triple: int | None = None
    series: int = TRIPLE


def cells_of(finding: str) -> tuple[Cell, ...]:
    """Return all cells of a finding."""
    sides: tuple[str | None, ...] = ("left", "right") if finding in SIDED else (None,)
    sides += ("bilateral",) if finding == "pleural effusion" else ()
    zones: tuple[str | None, ...] = tuple(ZONES) if finding in ZONAL else (None,)
    levels = levels_of(finding)
    cells = []
    for side, zone in ((side, zone) for side in sides for zone in zones):
        cells += [
            Cell(finding, operation, side, zone, level)
            for operation in (Operation.ADD, Operation.REMOVE)
            for level in levels
        ]
        cells += [
            Cell(finding, Operation.CHANGE, side, zone, new, old) for old in levels for new in levels if old != new
        ]
    return tuple(cells)


@lru_cache(maxsize=4)
def plan_bodies(
    count: int, seed: int, shown: tuple[frozenset[str], ...] = (), all_levels: bool = False
) -> tuple[PlannedBody, ...]:
    """Plan `count` bodies; the plan of fewer bodies is the beginning of the plan of more.

    Args:
        count: number of bodies.
        seed: of the order in which cells are taken.
        shown: for each body the findings that it shows already, which are not planned for it; empty: none.
        all_levels: a triple has all levels of its finding instead of the three strongest.

    Raises:
        InputError: `count` is below 1, or a body shows every finding.
    """
    if count < 1:
        raise InputError(f"`count` of bodies must be at least 1, got {count}.")
    generator = seeded_generator(seed, BODY, PLAN_NUMBER)
    cells = {finding: _shuffled(cells_of(finding), generator) for finding in SIMULATED_FINDINGS}
    planned: _Counts = Counter()
    bodies: list[PlannedBody] = []
    triples: _Counts = Counter()
    for number in range(count):
        free = _free_findings(shown[number] if shown else frozenset())
        chosen: list[Cell] = []
        triple = triples.total() if number % PAIRS_PER_BODY in BODIES_WITH_TRIPLE else None
        if triple is not None:
            finding = min(free, key=lambda name: triples[name])
            triples[finding] += 1
            chosen += _plan_triple(cells[finding], planned, all_levels)
        series = len(chosen) or TRIPLE
        while len(chosen) < PAIRS_PER_BODY:
            finding = min(free, key=lambda name: planned["finding", name])
            chosen.append(_least_planned(cells[finding], planned))
        bodies.append(PlannedBody(tuple(chosen), triple, series))
    return tuple(bodies)


def _free_findings(shown: Set[str]) -> list[str]:
    free = [finding for finding in SIMULATED_FINDINGS if finding not in shown]
    if not free:
        raise InputError("`shown` must leave a finding that can be drawn on each body, got one that shows all of them.")
    return free


def _shuffled(cells: tuple[Cell, ...], generator: torch.Generator) -> list[Cell]:
    return [cells[place] for place in torch.randperm(len(cells), generator=generator).tolist()]


def _keys(cell: Cell) -> Iterator[Hashable]:
    """Yield the keys under which a cell is counted: its finding, and its settings alone, in twos and in threes."""
    yield "finding", cell.finding
    parts = [("operation", cell.operation), ("side", cell.side), ("zone", cell.zone), ("level", cell.level)]
    for size in (1, 2, 3):
        yield from ((cell.finding, *some) for some in combinations(parts, size))
    yield cell.finding, cell


def _least_planned(cells: list[Cell], planned: _Counts) -> Cell:
    """Choose the cell planned least often, and count it."""
    chosen = min(cells, key=lambda cell: sum(planned[key] for key in _keys(cell)))
    planned.update(_keys(chosen))
    return chosen


def _plan_triple(cells: list[Cell], planned: _Counts, all_levels: bool) -> list[Cell]:
    """Add one lesion at the finding's three strongest levels or all of them, in the place planned least often."""
    finding = cells[0].finding
    strongest = levels_of(finding)[-1]
    last = _least_planned(
        [cell for cell in cells if cell.operation is Operation.ADD and cell.level == strongest], planned
    )
    levels = levels_of(finding)[None if all_levels else -TRIPLE : -1]
    weaker = [Cell(finding, Operation.ADD, last.side, last.zone, level) for level in levels]
    for cell in weaker:
        planned.update(_keys(cell))
    return [*weaker, last]
