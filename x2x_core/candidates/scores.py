"""Scores of a candidate."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CandidateScores:
    """Scores of one edit; ``None`` where undefined.

    Args:
        effect: how far the scorer's probabilities move as requested, the smallest over the clauses, in [-1, 1];
            ``None`` without a scorer.
        flipped: True if each clause that adds or removes is predicted as requested; ``None`` without a scorer.
        collateral: largest change of the probability of a finding that the instruction does not name, in [0, 1];
            ``None`` without a scorer.
        outside: share of the change's energy outside the guidance mask, in [0, 1].
        seam: see `x2x_core.evaluation.metrics.seam`.
        realism: realism score of the edit, relative to that of the input and at most 1, see
            `x2x_core.evaluation.metrics.manifold.realism`; ``None`` without reference images.
    """

    effect: float | None
    flipped: bool | None
    collateral: float | None
    outside: float
    seam: float | None
    realism: float | None

    @property
    def total(self) -> float:
        """Effect and realism less collateral, outside and seam, undefined ones counting 0: what candidates rank by."""
        gains = (self.effect or 0.0) + (self.realism or 0.0)
        return gains - (self.collateral or 0.0) - self.outside - (self.seam or 0.0)

    def as_dict(self) -> dict[str, Any]:
        """Return all scores and their total, for JSON."""
        return {**asdict(self), "total": self.total}
