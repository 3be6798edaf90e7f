"""How softly an edit ends within its mask: the width of the mask's inner edge that suits a finding.

Most findings end within the lung, and a narrow edge keeps them whole. Pleural fluid goes on behind the diaphragm, where
the edit ends somewhere in an abdomen that is even: there a narrow edge is seen as a cut. What was measured and looked at
stands in docs/guidance.md.
"""

from __future__ import annotations

from x2x_core.language.instruction import Instruction

#: Share of the image's longer side.
SOFT_EDGE = 0.02
SOFT_EDGES = {"pleural effusion": 0.05}


def soft_edge_of(instruction: Instruction) -> float:
    """The width of the mask's soft inner edge for an instruction, share of the image's longer side.

    That of its finding; of several findings the widest; for free text `SOFT_EDGE`.
    """
    return max((SOFT_EDGES.get(clause.finding, SOFT_EDGE) for clause in instruction.clauses), default=SOFT_EDGE)
