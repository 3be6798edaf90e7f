"""Soft edges of edits: the width of a mask's soft inner edge, by finding.

Where the mask ends in the middle of a lung, at the border of a zone, a narrow edge is visible as a cut; where it ends
at the heart or the chest wall, a wide one leaves a dark rim of air. Pleural fluid continues behind the diaphragm, where
the edit ends in a uniform abdomen and needs the widest edge. The measurements are in docs/guidance.md.
"""

from __future__ import annotations

from x2x_core.language.instruction import Instruction

#: Width as a share of the image's longer side, and for findings that differ.
SOFT_EDGE = 0.03
SOFT_EDGES = {"pleural effusion": 0.05}


def soft_edge_of(instruction: Instruction) -> float:
    """Return the width of the soft inner edge for an instruction, as a share of the image's longer side.

    For several findings it is the widest, for free text `SOFT_EDGE`.
    """
    return max((SOFT_EDGES.get(clause.finding, SOFT_EDGE) for clause in instruction.clauses), default=SOFT_EDGE)
