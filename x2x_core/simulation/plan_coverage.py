"""Coverage of a plan: what a set of instructions contains of all that could be planned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction

from .findings import SIMULATED_FINDINGS
from .plan import cells_of


def coverage(instructions: Sequence[Instruction]) -> dict[str, dict[str, int]]:
    """Count the clauses by finding, operation, level, side and zone; "none" counts clauses without one."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("finding", "operation", "level", "side", "zone")}
    for clause in (clause for instruction in instructions for clause in instruction.clauses):
        for name, counter in counts.items():
            value = getattr(clause, name)
            counter[value.value if isinstance(value, Operation) else value or "none"] += 1
    return {name: dict(sorted(counter.items())) for name, counter in counts.items()}


def missing_cells(instructions: Sequence[Instruction]) -> list[str]:
    """List the operations, levels, sides and zones of each finding that no instruction contains, in words."""
    clauses = [clause for instruction in instructions for clause in instruction.clauses]
    missing = []
    for finding in SIMULATED_FINDINGS:
        for name in ("operation", "level", "side", "zone"):
            possible = dict.fromkeys(getattr(cell, name) for cell in cells_of(finding))
            present = {getattr(clause, name) for clause in clauses if clause.finding == finding}
            missing += [
                f"{finding}: {name} {getattr(value, 'value', value)}" for value in possible if value not in present
            ]
    return missing
