"""The verdict of a grounding audit, in one sentence for each model.

The rule is fixed before any answer is seen. A model does not look if nearly no edit changes its answers; it is shown to
look if the finding's effect exceeds that of the same amount of change elsewhere, by the whole interval, and flips
answers; it looks at something else if the other change has the larger effect. A model that follows additions and not
removals, or the reverse, looks in part: one that says yes to a marker as well as to the finding does so. Else, and with
few images, nothing is shown.

Under a shift, a model whose right answers fall depends on it, unless its scores follow the removals all the same: then
it may depend on both, or the removals are partial, and nothing is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from x2x_core.evaluation.metrics.mcnemar import mcnemar
from x2x_core.evaluation.results import Metric, Metrics, ResultRow

from .measures import Pair
from .plan import POPULATION

NOT_LOOKING = 0.95  # share of unchanged cases from which on a model does not look
FEWEST_IMAGES = 6  # from which on resampled images say how images differ; six equal ones have p = 0.03
FOLLOWS = 0.05  # mean fall of the score from which on answers follow removals; networks leak a little of everything
_UNDEFINED = Metric(None)
_DIRECTIONS = {"contrast_added": "added", "contrast_removed": "removed"}
_FLIPS = {"contrast_added": "added_flips", "contrast_removed": "removed_flips"}
BEHAVIOURS = {
    "acquisition": "does not depend on the acquisition",
    "manifestation": "does not depend on signs of treatment",
    "population": "keeps its answers when other findings are there",
}


class Looks(StrEnum):
    """Verdicts on whether a model looks at the finding."""

    YES = "yes"
    PART = "in part"
    NO = "no"
    NOT_SHOWN = "not shown"


def looks(metrics: Metrics, images: int) -> Looks:
    """Return whether a model looks at the finding.

    Args:
        metrics: its measures.
        images: number of images with a pair of edits, see `x2x_core.evaluation.grounding.measures.pairs`.
    """
    contrast = metrics.get("contrast", _UNDEFINED)
    flips = [_share(metrics, key) for key in _FLIPS.values()]
    if _share(metrics, "unchanged") >= NOT_LOOKING:
        return Looks.NO
    if images < FEWEST_IMAGES or contrast.low is None or contrast.high is None or not max(flips):
        return Looks.NOT_SHOWN
    if contrast.high < 0:
        return Looks.NO
    if contrast.low <= 0:
        return Looks.NOT_SHOWN
    return Looks.PART if any(not _followed(metrics, key) for key in _DIRECTIONS) else Looks.YES


def _followed(metrics: Metrics, key: str) -> bool:
    """Return True if a contrast lies above 0 with its interval and such edits flip, or there are none."""
    contrast = metrics.get(key, _UNDEFINED)
    lowest = contrast.value if contrast.low is None else contrast.low
    return lowest is None or (lowest > 0 and _share(metrics, _FLIPS[key]) > 0)


def grounding_sentence(row: ResultRow, pairs: Sequence[Pair]) -> str:
    """Return the verdict on a model: "NAME looks at the finding: yes, ..." (in part, no, not shown).

    If there are several findings, the verdict on each follows.

    Args:
        row: its measures.
        pairs: its pairs of edits.
    """
    metrics = row.metrics
    answer, start = looks(metrics, _images(pairs)), f"{row.name} looks at the finding"
    contrast, findings = metrics.get("contrast", _UNDEFINED), _by_finding(row, pairs)
    if _share(metrics, "unchanged") >= NOT_LOOKING:
        if _share(metrics, "blank_unchanged") >= NOT_LOOKING:
            blank = "a uniform grey image gets the same answers too: it ignores the image"
        else:
            blank = "a uniform grey image gets others: it reads something that these edits leave alone"
        return f"{start}: no, {_share(metrics, 'unchanged'):.0%} of the cases are unchanged by any edit, and {blank}."
    if contrast.value is None:
        return f"{start}: not shown, no edit that could flip an answer has a partner of the same amount."
    effect = f"the finding moves its answer by {_interval(contrast)} more than the same amount elsewhere"
    if answer is Looks.NOT_SHOWN:
        return f"{start}: not shown, {effect}; {_reason(contrast, _images(pairs))}.{findings}"
    directions = [f"{_interval(metrics[key])} when it is {word}" for key, word in _DIRECTIONS.items() if key in metrics]
    if answer is Looks.PART:
        return (
            f"{start}: in part, {effect}, but {' and '.join(directions)}; {_share(metrics, 'unchanged'):.0%} of the "
            "cases are unchanged by any edit. It may read something else that these edits leave alone (a marker, a "
            f"drain), or edits of one kind are too faint.{findings}"
        )
    alone = "" if len(directions) > 1 else f" ({directions[0].partition(' when ')[2]} alone)"
    return f"{start}: {answer}, {effect}{alone}; {_flips(pairs)}.{findings}"


def _reason(contrast: Metric, images: int) -> str:
    if contrast.low is None:
        return "one image has no interval"
    if images < FEWEST_IMAGES:
        return f"{images} images are too few, a verdict needs {FEWEST_IMAGES}"
    return "the interval includes 0 or no answer flips"


def _by_finding(row: ResultRow, pairs: Sequence[Pair]) -> str:
    """Return " By finding: yes for A and B; not shown for C.", or nothing for one finding."""
    if len(row.per_finding) < 2:
        return ""
    verdicts: dict[Looks, list[str]] = {}
    for finding, metrics in row.per_finding.items():
        images = _images([pair for pair in pairs if pair.finding == finding])
        verdicts.setdefault(looks(metrics, images), []).append(finding)
    parts = [f"{verdict} for {', '.join(verdicts[verdict])}" for verdict in Looks if verdict in verdicts]
    return f" By finding: {'; '.join(parts)}."


def _images(pairs: Sequence[Pair]) -> int:
    return len({pair.image for pair in pairs})


def _interval(metric: Metric) -> str:
    bounds = "" if metric.low is None else f" ({metric.low:+.2f} to {metric.high:+.2f})"
    return "an unknown amount" if metric.value is None else f"{metric.value:+.2f}{bounds}"


def _flips(pairs: Sequence[Pair]) -> str:
    """Compare flips over one pair a case, the first, since pairs of a case are alike."""
    of_case = list({pair.case: pair for pair in reversed(pairs)}.values())
    only = sum(pair.flipped and not pair.flipped_elsewhere for pair in of_case)
    other = sum(pair.flipped_elsewhere and not pair.flipped for pair in of_case)
    return (
        f"of {len(of_case)} cases only the finding flips {only}, only the change elsewhere {other} "
        f"(McNemar's exact test, p = {mcnemar(only, other):.2g})"
    )


def shift_sentence(row: ResultRow, mode: str, fell: int, rose: int, images: int) -> str:
    """Return the verdict on a model under a shift.

    Args:
        row: its measures.
        mode: the test.
        fell: cases that are right before and wrong after.
        rose: the reverse.
        images: number of images with a right answer before.
    """
    start = f"{row.name} {BEHAVIOURS[mode]}"
    drop, after = row.metrics.get("drop", _UNDEFINED), row.metrics.get("right_after", _UNDEFINED)
    if drop.value is None:
        if after.value is None:
            return f"{start}: not shown, there is no answer to compare."
        return f"{start}: not shown, {after.value:.0%} of its answers stay; whether they were right is not known."
    p = mcnemar(fell, rose)
    text = f"McNemar's exact test p = {p:.2g}"
    if drop.low is None or drop.high is None:
        points = f"right answers fall by {100 * drop.value:.0f} points"
        return f"{start}: not shown, {points}, {text}; one image has no interval."
    interval = f"{100 * drop.low:.0f} to {100 * drop.high:.0f}"
    text = f"right answers fall by {100 * drop.value:.0f} points ({interval}), {text}"
    if images < FEWEST_IMAGES:
        few = f"right answers to {images} images before are too few, a verdict needs {FEWEST_IMAGES}"
        return f"{start}: not shown, {text}; {few}."
    moved = row.metrics.get("effect", _UNDEFINED)
    if drop.low > 0 and mode != POPULATION and moved.low is not None and moved.low < -FOLLOWS:
        return (
            f"{start}: not shown, {text}, but its scores may follow the removals, by {_interval(moved)}. It may depend "
            "on both, or the removals are partial."
        )
    if drop.low > 0:
        return f"{start}: no, {text}."
    return f"{start}: not refuted, {text}. How far this can be relied on depends on the number of images."


def _share(metrics: Metrics, key: str) -> float:
    return metrics.get(key, _UNDEFINED).value or 0.0
