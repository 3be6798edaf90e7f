"""The verdict: whether the paper's ordering can be read off the benchmark.

The paper (Min et al., 2025) claims that editing inside a region keeps a patient's attributes and that editing everywhere
does not. Each measure of what is kept answers by the interval of a paired difference: *yes* where all of it is on the
side that the paper claims, *no* where all of it is on the other, else *can't be read*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from x2x_core.evaluation.results import TARGET, Metric

from .ablation_measures import HIGHER
from .ablation_rows import OURS
from .measures import BENCHMARK_MEASURES
from .rows import PUBLISHED_RSE, UNRESTRICTED
from .statistics import paired_difference
from .summary import Scored

YES, NO, OPEN = "yes", "no", "can't be read"
KEPT_BY = ("change_outside", "structure", "brightness_shift", "contrast_shift", "attribute_shift", "attribute_worst")
LOCAL = (PUBLISHED_RSE, OURS)  # rows that edit locally, held against `UNRESTRICTED`


@dataclass(frozen=True)
class Claim:
    """One measure's answer: is `row` better than `other`? `difference` is `row` minus `other`, over pairs of both."""

    row: str
    other: str
    measure: str  # its key
    difference: Metric
    answer: str


@dataclass(frozen=True)
class Verdict:
    """All answers, and in a sentence each what they come to."""

    claims: tuple[Claim, ...]
    sentences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"claims": [asdict(one) for one in self.claims], "sentences": list(self.sentences)}


def judge(scored: Scored) -> Verdict:
    """Read the ordering off the scores: local rows against editing everywhere, and that against the real targets."""
    counts = scored.counts()
    claims: list[Claim] = []
    sentences = []
    for row in LOCAL:
        asked = [_claim(scored, row, UNRESTRICTED, key, counts) for key in KEPT_BY]
        claims += asked
        sentences.append(_sentence(f"{row[0].upper()}{row[1:]} keeps attributes better than editing everywhere", asked))
    keys = [
        key for key in KEPT_BY if key != "change_outside"
    ]  # the target differs from the image there by nothing else
    lost = [_claim(scored, TARGET, UNRESTRICTED, key, counts) for key in keys]
    claims += lost
    sentences.append(_sentence("Editing everywhere loses attributes that the real target has", lost))
    return Verdict(tuple(claims), tuple(sentences))


def answer(difference: Metric, better: str) -> str:
    """What the interval of a difference says of "the first is better"."""
    if difference.low is None or difference.high is None:
        return OPEN
    low, high = (difference.low, difference.high) if better == HIGHER else (-difference.high, -difference.low)
    return YES if low > 0 else NO if high < 0 else OPEN


def _claim(scored: Scored, row: str, other: str, key: str, counts: torch.Tensor) -> Claim:
    better = next(one.better for one in BENCHMARK_MEASURES if one.key == key)
    difference = paired_difference(scored.values(row, key), scored.values(other, key), counts)
    return Claim(row, other, key, difference, answer(difference, better))


def _sentence(claim: str, asked: Sequence[Claim]) -> str:
    asked = [one for one in asked if one.difference.value is not None]
    if not asked:
        return f"{claim}: can't be read, nothing was measured."
    tally = {kind: sum(one.answer == kind for one in asked) for kind in (YES, NO, OPEN)}
    if tally[YES] == len(asked):
        return f"{claim}: yes, by all {len(asked)} measures."
    if tally[NO] == len(asked):
        return f"{claim}: no, by all {len(asked)} measures the other way round."
    parts = ((YES, "for it"), (NO, "against it"), (OPEN, "can't tell"))
    said = ", ".join(f"{tally[kind]} {words}" for kind, words in parts if tally[kind])
    return f"{claim}: not read off every one of the {len(asked)} measures ({said})."
