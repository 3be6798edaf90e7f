"""The verifier of candidates: what a classifier, the pixels and reference images say of an edit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from x2x_core.anatomy.change import BOTH, CHEST, LEFT, RIGHT, Change
from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.change_outside import energy_outside
from x2x_core.evaluation.metrics.flips import direction, flips
from x2x_core.evaluation.metrics.label_divergence import POSITIVE
from x2x_core.evaluation.metrics.manifold import realism
from x2x_core.evaluation.metrics.seam import seam
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.scorers.scorer import PROBABILITY, FeatureSource, ImageScorer, score_images

from .scores import CandidateScores

_ZONES = ("upper", "middle", "lower")


@dataclass(frozen=True)
class Limits:
    """Scores beyond which a candidate fails.

    Args:
        collateral: highest change of the probability of a finding that is not named.
        outside: highest share of the change's energy outside the guidance mask.
        seam: highest ratio of the change on the mask's border to that inside.
        realism: lowest realism, relative to that of the input.
    """

    collateral: float = 0.5
    outside: float = 0.05
    seam: float = 0.8
    realism: float = 0.5


@dataclass(frozen=True)
class Verdict:
    """Scores of a candidate, and its failures: a sentence for each check that it did not pass."""

    scores: CandidateScores
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True if the candidate passed all checks."""
        return not self.reasons


@dataclass(frozen=True)
class Verifier:
    """Score an edit and check it.

    Without networks it checks the pixels alone: that something changed, on the side and in the zones that the
    instruction names, with no step at the border of the mask.

    Args:
        findings: classifier of findings, whose predictions must follow the instruction.
        features: for the realism score; needs `reference`.
        reference: features `(m, D)` of real images, from `features`.
        limits: scores beyond which a candidate fails.

    Raises:
        InputError: a scorer of values, or one of `features` and `reference` without the other.
    """

    findings: ImageScorer | None = None
    features: FeatureSource | None = None
    reference: torch.Tensor | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.findings is not None and self.findings.kind != PROBABILITY:
            raise InputError(f"`findings` must give probabilities, got {self.findings.name!r}, which gives values.")
        if (self.features is None) is not (self.reference is None):
            raise InputError("`features` and `reference` must be given together.")

    def verify(
        self, before: torch.Tensor, after: torch.Tensor, mask: torch.Tensor, instruction: Instruction, change: Change
    ) -> Verdict:
        """Judge one edit.

        Args:
            before: `(C, H, W)` in [0, 1].
            after: like `before`.
            mask: `(1, H, W)` bool, the guidance mask.
            instruction: what was asked.
            change: what changed, from `x2x_core.anatomy.change.describe_change`.
        """
        grey = torch.stack([image.float().mean(0, keepdim=True) for image in (before, after)]).clamp(0, 1)
        reasons = list(_place_reasons(instruction, change))
        effect = flipped = collateral = None
        if self.findings is not None:
            old, new = score_images(self.findings, grey)
            effect, flipped, collateral, said = _findings(self.findings.labels, instruction, old, new, self.limits)
            reasons += said
        scores = CandidateScores(
            effect=effect,
            flipped=flipped,
            collateral=collateral,
            outside=energy_outside(grey[1], grey[0], mask),
            seam=seam(before, after, mask),
            realism=self._realism(grey),
        )
        return Verdict(scores, (*reasons, *_limit_reasons(scores, self.limits)))

    def _realism(self, grey: torch.Tensor) -> float | None:
        if self.features is None or self.reference is None:
            return None
        old, new = realism(self.features.features(grey).detach().cpu(), self.reference).tolist()
        return min(1.0, new / old)


def _place_reasons(instruction: Instruction, change: Change) -> Iterator[str]:
    """Yield what is wrong with where the pixels changed."""
    if change.sign is None:
        yield change.sentence()
        return
    clauses = instruction.clauses
    if change.place != CHEST or not clauses:
        return
    sides = {clause.side for clause in clauses}
    if len(sides) == 1 and (side := clauses[0].side) in (LEFT, RIGHT) and change.side != side:
        found = "both sides" if change.side == BOTH else f"the patient's {change.side}"
        yield f"The change lies on {found}, the instruction names the {side}."
    named = [clause.zone for clause in clauses]
    missing = [zone for zone in dict.fromkeys(named) if zone in _ZONES and zone not in change.zones]
    for zone in missing:
        yield f"Hardly any of the change lies in the {zone} zone, which the instruction names."


def _findings(
    labels: tuple[str, ...], instruction: Instruction, old: torch.Tensor, new: torch.Tensor, limits: Limits
) -> tuple[float | None, bool | None, float, list[str]]:
    """Return effect, flipped, collateral, and the reasons that the predictions give."""
    counted = flips(instruction, labels, old, new)
    scored = [clause for clause in instruction.clauses if clause.finding in labels]
    moves = [
        direction(clause) * float(new[labels.index(clause.finding)] - old[labels.index(clause.finding)])
        for clause in scored
        if direction(clause)
    ]
    said = [reason for clause in scored for reason in _clause_reasons(clause, labels, old, new)]
    named = {clause.finding for clause in instruction.clauses}
    others = {label: (float(old[n]), float(new[n])) for n, label in enumerate(labels) if label not in named}
    for label, (first, second) in others.items():
        if abs(second - first) > limits.collateral:
            said.append(f"The score of {label}, which is not named, goes from {first:.2f} to {second:.2f}.")
    collateral = max((abs(second - first) for first, second in others.values()), default=0.0)
    flipped = counted.as_asked == counted.toggles if counted.toggles else None
    return min(moves, default=None), flipped, collateral, said


def _clause_reasons(clause: Clause, labels: tuple[str, ...], old: torch.Tensor, new: torch.Tensor) -> Iterator[str]:
    before, after = (float(scores[labels.index(clause.finding)]) for scores in (old, new))
    wanted = direction(clause)
    if clause.operation is Operation.ADD and after < POSITIVE:
        yield f"{clause.finding.capitalize()} is not predicted after the edit ({after:.2f})."
    elif clause.operation is Operation.REMOVE and after >= POSITIVE:
        yield f"{clause.finding.capitalize()} is still predicted after the edit ({after:.2f})."
    elif clause.operation is Operation.CHANGE and wanted * (after - before) <= 0 and wanted:
        yield (
            f"The score of {clause.finding} does not {'rise' if wanted > 0 else 'fall'} (from {before:.2f} to "
            f"{after:.2f})."
        )


def _limit_reasons(scores: CandidateScores, limits: Limits) -> Iterator[str]:
    if scores.outside > limits.outside:
        yield f"{scores.outside:.0%} of the change's energy lies outside the mask."
    if scores.seam is not None and scores.seam > limits.seam:
        yield f"The change ends in a step at the border of its mask (seam {scores.seam:.2f})."
    if scores.realism is not None and scores.realism < limits.realism:
        yield f"The edit is further from real images than the input (realism {scores.realism:.2f} of the input's)."
