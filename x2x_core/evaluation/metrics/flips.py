"""Whether a classifier's answer follows the instruction, and what else changes with it.

A finding counts as predicted from a probability of `x2x_core.evaluation.metrics.divergence.POSITIVE` on.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import COURSES, level_rank

from .divergence import POSITIVE


@dataclass(frozen=True)
class Flips:
    """What became of one pair's clauses and of the other findings. Counts, so that they can be summed over pairs."""

    could_flip: int  # clauses that add a finding not predicted before, or remove one predicted before
    flipped: int  # of those, how many are predicted the other way after
    could_follow: int  # clauses that say which way the score should go
    followed: int  # of those, how many went that way, however little
    others: int  # findings that the instruction does not name
    other_flips: int  # of those, how many are predicted the other way after


def flips(instruction: Instruction, labels: tuple[str, ...], before: torch.Tensor, after: torch.Tensor) -> Flips:
    """Count one pair's flips.

    Args:
        instruction: what was asked for; clauses about findings that are not scored are left out.
        labels: what is scored.
        before, after: probabilities `(len(labels),)` of the input and of the image to be judged.
    """
    if before.shape != (len(labels),) or after.shape != before.shape:
        raise InputError(
            f"`before` and `after` must be one number for each of {len(labels)} labels, got {tuple(before.shape)} and "
            f"{tuple(after.shape)}."
        )
    scored = [clause for clause in instruction.clauses if clause.finding in labels]
    old, new = before >= POSITIVE, after >= POSITIVE
    places = [labels.index(clause.finding) for clause in scored]
    able = [n for n, clause in zip(places, scored) if _can_flip(clause, bool(old[n]))]
    ways = [(n, direction(clause)) for n, clause in zip(places, scored)]
    ways = [(n, way) for n, way in ways if way]
    named = {clause.finding for clause in instruction.clauses}
    others = [n for n, label in enumerate(labels) if label not in named]
    return Flips(
        could_flip=len(able),
        flipped=sum(bool(new[n] != old[n]) for n in able),
        could_follow=len(ways),
        followed=sum(float(after[n] - before[n]) * way > 0 for n, way in ways),
        others=len(others),
        other_flips=sum(bool(new[n] != old[n]) for n in others),
    )


def _can_flip(clause: Clause, predicted: bool) -> bool:
    if clause.operation is Operation.CHANGE:
        return False
    return predicted is (clause.operation is Operation.REMOVE)


def direction(clause: Clause) -> int:
    """Which way a finding's score should go: 1 up, -1 down, 0 where the clause does not say."""
    if clause.operation is not Operation.CHANGE:
        return 1 if clause.operation is Operation.ADD else -1
    if clause.level in COURSES:
        return _WAYS.get(clause.level, 0)
    if clause.level_from is None or clause.level_from in COURSES:
        return 0
    new, old = level_rank(clause.level), level_rank(clause.level_from)
    return (new > old) - (new < old)


_WAYS = {"increasing": 1, "decreasing": -1}
