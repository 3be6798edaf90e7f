"""Places that an instruction leaves open: the side or the zone of a finding to add, which an edit draws.

Removing acts wherever the finding is, and a change of level acts on a finding that is already somewhere, so both leave
nothing to draw. "Bilateral" is a place, and so are words such as "diffuse" and "everywhere".
"""

from __future__ import annotations

from collections.abc import Sequence

from .clauses import Clause, Operation
from .vocabulary import FINDINGS

#: Words that place a finding in more than one part of the lungs.
SPREAD = frozenset(
    ("diffuse", "diffusely", "everywhere", "multifocal", "multiple", "scattered", "throughout", "widespread")
)


def open_attributes(clause: Clause) -> tuple[str, ...]:
    """Return which of "side" and "zone" a clause leaves to be drawn; empty if its finding has no places."""
    if clause.operation is not Operation.ADD or clause.side == "bilateral":
        return ()
    return tuple(name for name in FINDINGS[clause.finding].drawn if getattr(clause, name) is None)


def open_clauses(clauses: Sequence[Clause], left_out: Sequence[str]) -> tuple[Clause, ...]:
    """Return the clauses whose side or zone an edit draws.

    Args:
        clauses: of an instruction.
        left_out: words of it that were not understood.
    """
    if any(word.strip(".,;").lower() in SPREAD for words in left_out for word in words.split()):
        return ()
    return tuple(clause for clause in clauses if open_attributes(clause))


def write_drawn(clauses: Sequence[Clause]) -> str:
    """Write for people which places were drawn."""
    items = ", ".join(place_in_words(clause) for clause in clauses)
    return f"Place drawn at random, as the instruction leaves it open: {items}."


def place_in_words(clause: Clause) -> str:
    """Return a finding with its side and zone, such as "consolidation, left, lower zone"."""
    zone = f"{clause.zone} zone" if clause.zone else None
    return ", ".join(part for part in (clause.finding, clause.side, zone) if part)
