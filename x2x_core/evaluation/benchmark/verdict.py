"""The verdict: does local editing preserve patient attributes better than editing everywhere?

The paper (Min et al., *InstructX2X*, 2025) claims that editing inside a region preserves a patient's attributes and
editing everywhere does not. Each measure of preservation answers by the interval of a paired difference: *yes* if all
of it is on the claimed side, *no* if all of it is on the other side, else *can't be read*. Intervals come from
resampling bodies, which means little for a few of them: below `FEWEST_BODIES` no verdict is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from x2x_core.evaluation.metrics.estimates import paired_difference
from x2x_core.evaluation.metrics.measure import HIGHER
from x2x_core.evaluation.results import TARGET, Metric

from .measures import BY_KEY
from .rows import OURS, PUBLISHED_RSE, UNRESTRICTED
from .scores import BenchmarkScores

YES, NO, OPEN = "yes", "no", "can't be read"
FEWEST_BODIES = 20  # that both rows of a comparison must share
PRESERVATION = (
    "change_outside", "structure", "brightness_shift", "contrast_shift", "attribute_shift", "attribute_worst",
)  # fmt: skip
LOCAL = (PUBLISHED_RSE, OURS)  # rows that edit locally, compared with `UNRESTRICTED`


@dataclass(frozen=True)
class Claim:
    """Answer of one measure to "is `row` better than `other`?"."""

    row: str
    other: str
    measure: str  # key
    difference: Metric  # `row` minus `other`, over the pairs of both
    answer: str


@dataclass(frozen=True)
class Verdict:
    """All answers, and a sentence for each comparison."""

    claims: tuple[Claim, ...]
    sentences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return a record for JSON."""
        return {"claims": [asdict(claim) for claim in self.claims], "sentences": list(self.sentences)}


def judge(scores: BenchmarkScores) -> Verdict:
    """Compare the local rows with editing everywhere, and the real targets with editing everywhere."""
    counts = scores.counts()
    # The target differs from the image outside the region by nothing but the change itself.
    of_target = [key for key in PRESERVATION if key != "change_outside"]
    comparisons: list[tuple[str, Sequence[str], str]] = [
        (row, PRESERVATION, f"{row[0].upper()}{row[1:]} keeps attributes better than editing everywhere")
        for row in LOCAL
    ]
    comparisons.append((TARGET, of_target, "Editing everywhere loses attributes that the real target has"))
    claims: list[Claim] = []
    sentences = []
    for row, keys, statement in comparisons:
        bodies = shared_bodies(scores, row, UNRESTRICTED)
        answers = [_claim(scores, row, key, counts, bodies >= FEWEST_BODIES) for key in keys]
        claims += answers
        sentences.append(_sentence(statement, answers, bodies))
    return Verdict(tuple(claims), tuple(sentences))


def shared_bodies(scores: BenchmarkScores, row: str, other: str) -> int:
    """Return the number of bodies that both rows edited."""
    bodies = zip(scores.bodies, scores.rows[row], scores.rows[other])
    return len({body for body, first, second in bodies if first is not None and second is not None})


def answer(difference: Metric, better: str) -> str:
    """Return what the interval of a difference says about "the first is better"."""
    if difference.low is None or difference.high is None:
        return OPEN
    low, high = (difference.low, difference.high) if better == HIGHER else (-difference.high, -difference.low)
    return YES if low > 0 else NO if high < 0 else OPEN


def _claim(scores: BenchmarkScores, row: str, key: str, counts: torch.Tensor, enough: bool) -> Claim:
    difference = paired_difference(scores.values(row, key), scores.values(UNRESTRICTED, key), counts)
    said = answer(difference, BY_KEY[key].better) if enough else OPEN
    return Claim(row, UNRESTRICTED, key, difference, said)


def _sentence(statement: str, claims: Sequence[Claim], bodies: int) -> str:
    answers = [claim.answer for claim in claims if claim.difference.value is not None]
    if not answers:
        return f"{statement}: can't be read, nothing was measured."
    if bodies < FEWEST_BODIES:
        count = "1 simulated body was" if bodies == 1 else f"{bodies} simulated bodies were"
        return f"{statement}: no verdict, since only {count} edited both ways; it takes {FEWEST_BODIES}."
    if set(answers) == {YES}:
        return f"{statement}: yes, by all {len(answers)} measures."
    if set(answers) == {NO}:
        return f"{statement}: no, by all {len(answers)} measures the other way round."
    parts = ((YES, "for it"), (NO, "against it"), (OPEN, "can't tell"))
    tally = ", ".join(f"{answers.count(kind)} {words}" for kind, words in parts if kind in answers)
    return f"{statement}: not read off every one of the {len(answers)} measures ({tally})."
