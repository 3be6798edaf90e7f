"""Soft edges of edits: the width of a mask's soft inner edge, by finding.

Most findings end within the lung, and a narrow edge preserves them. Pleural fluid continues behind the diaphragm, where
the edit ends in a uniform abdomen and a narrow edge is visible as a cut. The measurements are in docs/guidance.md.
"""

from __future__ import annotations

from x2x_core.language.instruction import Instruction

#: Width as a share of the image's longer side, and for findings that differ.
SOFT_EDGE = 0.02
SOFT_EDGES = {"pleural effusion": 0.05}


def soft_edge_of(instruction: Instruction) -> float:
    """Return the width of the soft inner edge for an instruction, as a share of the image's longer side.

    For several findings it is the widest, for free text `SOFT_EDGE`.
    """
    return max((SOFT_EDGES.get(clause.finding, SOFT_EDGE) for clause in instruction.clauses), default=SOFT_EDGE)
