"""The benchmark's measures: those of the ablation, and what only planned pairs, networks and sets of images tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .ablation_measures import HIGHER, LOWER, MEASURES, RIGHT, Measure

LEVEL_OBEYED = "Obeys the level"
READ = "Attributes, read by a network"
SETS = "All images"
NEITHER = "neither"

BENCHMARK_MEASURES = (
    *MEASURES,
    Measure(
        "amount", "Amount", RIGHT, NEITHER, "share of the true change made; median; 1 is right", False, 2, "median"
    ),
    Measure(
        "monotone", "All in order", LEVEL_OBEYED, HIGHER, "triples whose three levels change more and more", True, 1
    ),
    Measure(
        "ordered", "Twos in order", LEVEL_OBEYED, HIGHER, "of the three twos of a triple, the stronger more", True, 1
    ),
    Measure("attribute_r", "Attribute correlation", READ, HIGHER, "with the true attribute; mean over attributes"),
    Measure("attribute_worst_r", "Lowest attribute correlation", READ, HIGHER, "of the attribute kept worst"),
    Measure(
        "attribute_shift", "Attribute shift", READ, LOWER, "from the real target's reading, in standard deviations"
    ),
    Measure(
        "attribute_worst",
        "Worst attribute shift",
        READ,
        LOWER,
        "of a pair's attribute that moved most; mean over pairs",
    ),
    Measure("fid", "FID", SETS, LOWER, "between the features of the edits and of the real targets", digits=2),
)
OF_PAIRS = tuple(  # measures that are a mean or median of one number a pair
    measure for measure in BENCHMARK_MEASURES if measure.key not in ("attribute_r", "attribute_worst_r", "fid")
)


def level_scores(doses: Sequence[float]) -> dict[str, float]:
    """Whether the edits of a triple obey the level.

    Args:
        doses: of the weak, the moderate and the strong one, see `x2x_core.evaluation.benchmark.edits.score_body`.

    Returns:
        "monotone": 1 where each is more than the one before, else 0; a blind guess is right in a sixth. "ordered": the
        share of the three twos whose stronger one is more; a blind guess gets a half. Equal doses count as out of order.
    """
    weak, moderate, strong = doses
    twos = [weak < moderate, moderate < strong, weak < strong]
    return {"monotone": float(weak < moderate < strong), "ordered": sum(twos) / len(twos)}


def with_levels(scores: Sequence[Mapping[str, Any]], triples: Sequence[int | None]) -> list[dict[str, Any]]:
    """Scores of pairs with "monotone" and "ordered", which stand at each triple's last pair and are ``None`` elsewhere.

    Args:
        scores: one a pair, with "dose".
        triples: which triple each pair is of; the pairs of a triple come weak, moderate, strong.
    """
    members: dict[int, list[int]] = {}
    for number, triple in enumerate(triples):
        if triple is not None:
            members.setdefault(triple, []).append(number)
    found = [{**score, "monotone": None, "ordered": None} for score in scores]
    for numbers in members.values():
        found[numbers[-1]].update(level_scores([scores[number]["dose"] for number in numbers]))
    return found
