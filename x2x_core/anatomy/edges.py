"""Soft edges of edits: the width of a mask's soft inner edge, by finding.

Where the mask ends in the middle of a lung, at the border of a zone, a narrow edge is visible as a cut; where it ends
at the heart or the chest wall, a wide one leaves a dark rim of air. The saturating composition does not fade there
(`x2x_core.edit.composition.closed_edges`), so that its edges within the lung can be wide. Pleural fluid continues
behind the diaphragm, where the edit ends in a uniform abdomen. The measurements are in docs/guidance.md.
"""

from __future__ import annotations

from x2x_core.language.instruction import Instruction

#: Width as a share of the image's longer side, and for findings that differ.
SOFT_EDGE = 0.03
SOFT_EDGES = {"pleural effusion": 0.05}
#: The same under the saturating composition, for findings that take part of a lung.
SATURATING_EDGE = 0.06
SATURATING_EDGES = dict.fromkeys(("consolidation", "lung opacity", "pneumonia", "atelectasis"), SATURATING_EDGE)
#: Width where the mask is around an extent that was drawn on this patient, which says itself where it fades; see
#: `x2x_core.pseudomasks.extents`.
EXTENT_EDGE = 0.012


def soft_edge_of(instruction: Instruction, *, saturating: bool = False) -> float:
    """Return the width of the soft inner edge for an instruction, as a share of the image's longer side.

    For several findings it is the widest, for free text `SOFT_EDGE`.

    Args:
        instruction: what is edited.
        saturating: the edit is composed by "saturating".
    """
    widths = SOFT_EDGES | (SATURATING_EDGES if saturating else {})
    return max((widths.get(clause.finding, SOFT_EDGE) for clause in instruction.clauses), default=SOFT_EDGE)
