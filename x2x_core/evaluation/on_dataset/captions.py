"""The text that an edited image should fit."""

from __future__ import annotations

from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction


def caption(instruction: Instruction) -> str:
    """Return what an image shows after an edit, as a report says it; free text stands as it is.

    Example: "Chest radiograph: no edema, large left pleural effusion."
    """
    if not instruction.clauses:
        return instruction.text
    return f"Chest radiograph: {', '.join(_shown(clause) for clause in instruction.clauses)}."


def _shown(clause: Clause) -> str:
    item = clause.item()
    if clause.operation is Operation.REMOVE:
        return f"no {item}"
    return f"{clause.level} {item}" if clause.operation is Operation.CHANGE else item
