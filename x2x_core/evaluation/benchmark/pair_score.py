"""Three questions about one edit, and how well its guidance map finds the change.

The questions are about the change that the edit makes, `edited - before`:

- *in region*: is at least half of its energy (sum of squares) in the true region? The true region is where the true
  change exceeds a tenth of its maximum (and 0.01), grown by 4 % of the image's longer side.
- *right direction*: is its inner product with the true change positive?
- *closer*: over the union of the true region and the edited pixels, is the mean squared error to the true image smaller
  than that of the unedited image?

An edit that changes nothing fails all three.

The guidance map is scored against the exact region, which is not grown. These scores are ``None`` if the truth changes
nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.average_precision import average_precision
from x2x_core.evaluation.metrics.best_iou import best_iou
from x2x_core.evaluation.metrics.change_outside import largest_change_outside
from x2x_core.evaluation.metrics.energy_inside import energy_inside
from x2x_core.evaluation.metrics.pointing import pointing
from x2x_core.imaging.changed import changed_region
from x2x_core.language.instruction import Instruction

from .pairs import EditedPair, TruePair, true_region

LOCALISATION = {
    "average_precision": average_precision,
    "energy_inside": energy_inside,
    "pointing": pointing,
    "best_iou": best_iou,
}


@dataclass(frozen=True)
class PairScore:
    """Scores of one pair."""

    instruction: str
    operation: str  # of the first clause
    finding: str  # of the first clause
    in_region: bool
    direction: bool
    closer: bool
    energy_in_region: float  # share of the edit's energy in the true region; 0 for no change
    error_ratio: float  # mean squared error of the edit over that of the unedited image
    editable_share: float  # of the image
    changed_outside_mask: float  # largest change outside the guidance mask; must be 0
    average_precision: float | None  # of the guidance map against the exact region, like the following
    energy_inside: float | None
    pointing: float | None
    best_iou: float | None


def score_pair(pair: TruePair, edit: EditedPair) -> PairScore:
    """Answer the three questions for one pair, and score its guidance map.

    Raises:
        InputError: the instruction names no known finding.
    """
    truth, change = pair.after - pair.before, edit.image - pair.before
    region, exact = true_region(truth), changed_region(truth)
    energy = float(change.square().sum())
    inside = float(change[region].square().sum()) / energy if energy else 0.0
    judged = region | (change != 0)
    if not judged.any():  # nothing to change, and nothing changed
        judged = torch.ones_like(judged)
    old, new = ((image - pair.after)[judged].square().mean() for image in (pair.before, edit.image))
    operation, finding = _first_clause(pair)
    localisation = {name: score(edit.guidance_map, exact) for name, score in LOCALISATION.items()}
    return PairScore(
        instruction=pair.instruction,
        operation=operation,
        finding=finding,
        in_region=inside >= 0.5,
        direction=float((change * truth).sum()) > 0,
        closer=bool(new < old),
        energy_in_region=inside,
        error_ratio=float(new / old.clamp_min(1e-12)),
        editable_share=float(edit.mask.float().mean()),
        changed_outside_mask=largest_change_outside(edit.image, pair.before, edit.mask) or 0.0,
        **{name: None if math.isnan(value) else value for name, value in localisation.items()},
    )


def _first_clause(pair: TruePair) -> tuple[str, str]:
    """Return the operation and finding that a pair is grouped by."""
    clauses = Instruction.parse(pair.instruction).clauses
    if not clauses:
        raise InputError(f"`instruction` of a pair must name a known finding, got {pair.instruction!r}.")
    return clauses[0].operation.value, clauses[0].finding
