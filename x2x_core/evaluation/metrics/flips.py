"""Flips of a classifier's predictions: those that the instruction asks for, and collateral ones.

A finding counts as predicted at and above a probability of `x2x_core.evaluation.metrics.label_divergence.POSITIVE`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import COURSES, level_rank

from .label_divergence import POSITIVE

_COURSE_SIGNS = {"increasing": 1, "decreasing": -1}


@dataclass(frozen=True)
class Flips:
    """Counts of one pair's clauses and of the other findings, which can be summed over pairs."""

    could_flip: int  # clauses that add a finding not predicted before, or remove one that was
    flipped: int  # of those, predicted the other way afterwards
    could_follow: int  # clauses that give a direction for the score
    followed: int  # of those, scores that moved in this direction, however little
    others: int  # findings that the instruction does not name
    other_flips: int  # of those, predicted the other way afterwards
    toggles: int = 0  # clauses that add or remove a finding, whatever was predicted before
    as_asked: int = 0  # of those, predicted as requested afterwards


def flips(instruction: Instruction, labels: tuple[str, ...], before: torch.Tensor, after: torch.Tensor) -> Flips:
    """Count one pair's flips.

    Args:
        instruction: clauses about findings that are not scored are left out.
        labels: findings that the classifier scores.
        before: probabilities `(len(labels),)` for the input and for the image to judge.
        after: like `before`.

    Raises:
        InputError: numbers of probabilities and labels that differ.
    """
    if before.shape != (len(labels),) or after.shape != before.shape:
        raise InputError(
            f"`before` and `after` must be one number for each of {len(labels)} labels, got {tuple(before.shape)} and "
            f"{tuple(after.shape)}."
        )
    scored = [clause for clause in instruction.clauses if clause.finding in labels]
    old, new = before >= POSITIVE, after >= POSITIVE
    columns = [labels.index(clause.finding) for clause in scored]
    flippable = [n for n, clause in zip(columns, scored) if _can_flip(clause, bool(old[n]))]
    signs = [(n, direction(clause)) for n, clause in zip(columns, scored)]
    signs = [(n, sign) for n, sign in signs if sign]
    toggled = [
        (n, clause.operation is Operation.ADD)
        for n, clause in zip(columns, scored)
        if clause.operation is not Operation.CHANGE
    ]
    named = {clause.finding for clause in instruction.clauses}
    others = [n for n, label in enumerate(labels) if label not in named]
    return Flips(
        could_flip=len(flippable),
        flipped=sum(bool(new[n] != old[n]) for n in flippable),
        could_follow=len(signs),
        followed=sum(float(after[n] - before[n]) * sign > 0 for n, sign in signs),
        others=len(others),
        other_flips=sum(bool(new[n] != old[n]) for n in others),
        toggles=len(toggled),
        as_asked=sum(bool(new[n]) is wanted for n, wanted in toggled),
    )


def _can_flip(clause: Clause, predicted: bool) -> bool:
    if clause.operation is Operation.CHANGE:
        return False
    return predicted is (clause.operation is Operation.REMOVE)


def direction(clause: Clause) -> int:
    """Return the direction in which a finding's score should move: 1 up, -1 down, 0 if the clause does not say."""
    if clause.operation is not Operation.CHANGE:
        return 1 if clause.operation is Operation.ADD else -1
    if clause.level in COURSES:
        return _COURSE_SIGNS.get(clause.level, 0)
    if clause.level is None or clause.level_from is None or clause.level_from in COURSES:
        return 0
    new, old = level_rank(clause.level), level_rank(clause.level_from)
    return (new > old) - (new < old)
