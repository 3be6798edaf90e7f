"""Scenarios: the lesions before and after, and the instruction that leads from one to the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from x2x_core.common.randomness import uniform
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction

from .findings import SIMULATED_FINDINGS, levels_of
from .lesions import Lesion, choose, draw_severity, ordered, sample_lesion
from .settings import ANY_RESTING, DEFAULTS, Resting

#: Operations with their frequencies: most requests to an editor are additions.
_OPERATIONS = (Operation.ADD,) * 9 + (Operation.REMOVE,) * 6 + (Operation.CHANGE,) * 5
_TWO_CHANGES_SHARE = 0.12  # of the scenarios


@dataclass(frozen=True)
class Scenario:
    """Lesions before and after, and the instruction between the two."""

    before: tuple[Lesion, ...]
    after: tuple[Lesion, ...]
    instruction: Instruction


def sample_scenario(
    generator: torch.Generator, version: str = DEFAULTS.version, resting: Resting = ANY_RESTING
) -> Scenario:
    """Draw the lesions, their changes, and the wording of the instruction.

    Args:
        generator: source of all random numbers.
        version: wording, "v1" (findings only), "v2" (levels, sides and zones) or "mixed" (mostly v2).
        resting: findings that may be present without changing.
    """
    count = 2 if uniform(0, 1, generator) < _TWO_CHANGES_SHARE else 1
    order = torch.randperm(len(SIMULATED_FINDINGS), generator=generator).tolist()
    findings = [SIMULATED_FINDINGS[place] for place in order]
    changing = [sample_lesion(generator, finding) for finding in findings[:count]]
    others = [finding for finding in findings[count:] if finding in resting.findings]
    has_resting = uniform(0, 1, generator) < resting.share and bool(others)
    before = [sample_lesion(generator, others[-1])] if has_resting else []
    after, clauses = list(before), []
    for lesion in changing:
        operation = choose(_OPERATIONS, generator)
        old, new = _change(lesion, operation, generator)
        before += old
        after += new
        clauses.append(_clause(operation, (*new, *old)[0], old, version, generator))
    return Scenario(ordered(before), ordered(after), Instruction(clauses=tuple(clauses)))


def _change(lesion: Lesion, operation: Operation, generator: torch.Generator) -> tuple[list[Lesion], list[Lesion]]:
    """Return the lesions before and after an operation on one lesion."""
    if operation is Operation.ADD:
        return [], [lesion]
    if operation is Operation.REMOVE:
        return [lesion], []
    others = [level for level in levels_of(lesion.finding) if level != lesion.level]
    level = choose(others, generator)
    return [lesion], [replace(lesion, level=level, severity=draw_severity(level, generator))]


def _clause(
    operation: Operation, lesion: Lesion, old: list[Lesion], version: str, generator: torch.Generator
) -> Clause:
    """Draw the wording of an operation: how much of level, side and zone the clause states."""

    def draw(probability: float) -> bool:
        return uniform(0, 1, generator) < probability

    plain = version == "v1" or (version == "mixed" and draw(0.12))
    side = lesion.side if not plain and draw(0.97) else None
    zone = lesion.zone if side and draw(0.93) else None
    if operation is Operation.CHANGE:
        return Clause(operation, lesion.finding, side, zone, level=lesion.level, level_from=old[0].level)
    level = lesion.level if not plain and draw(0.85) else None
    return Clause(operation, lesion.finding, side, zone, level=level)
