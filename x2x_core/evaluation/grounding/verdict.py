"""The verdict of a grounding audit, in one sentence for each model.

The rule is fixed before any answer is seen. A model does not look if nearly no edit changes its answers; it is shown to
look if the finding's effect exceeds that of the same amount of change elsewhere, by the whole interval, and flips
answers; it looks at something else if the other change has the larger effect. Else nothing is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from x2x_core.evaluation.metrics.mcnemar import mcnemar
from x2x_core.evaluation.results import Metric, Metrics, ResultRow

from .measures import Pair
from .plan import POPULATION

NOT_LOOKING = 0.95  # share of unchanged cases from which on a model does not look
_UNDEFINED = Metric(None)
BEHAVIOURS = {
    "acquisition": "does not depend on the acquisition",
    "manifestation": "does not depend on signs of treatment",
    "population": "keeps its answers when other findings are there",
}


def looks(metrics: Metrics) -> bool | None:
    """Return whether a model looks at the finding; ``None`` if nothing is shown."""
    contrast = metrics.get("contrast", _UNDEFINED)
    flips = [metrics.get(key, _UNDEFINED).value or 0.0 for key in ("added_flips", "removed_flips")]
    if _share(metrics, "unchanged") >= NOT_LOOKING or (contrast.high is not None and contrast.high < 0):
        return False
    return True if contrast.low is not None and contrast.low > 0 and max(flips) > 0 else None


def grounding_sentence(name: str, metrics: Metrics, pairs: Sequence[Pair]) -> str:
    """Return the verdict on a model: "NAME looks at the finding: yes, ...", "no, ..." or "not shown, ..."."""
    answer, start = looks(metrics), f"{name} looks at the finding"
    contrast = metrics.get("contrast", _UNDEFINED)
    if _share(metrics, "unchanged") >= NOT_LOOKING:
        if _share(metrics, "blank_unchanged") >= NOT_LOOKING:
            blank = "a uniform grey image gets the same answers too: it ignores the image"
        else:
            blank = "a uniform grey image gets others: it reads something that these edits leave alone"
        return f"{start}: no, {_share(metrics, 'unchanged'):.0%} of the cases are unchanged by any edit, and {blank}."
    if contrast.value is None:
        return f"{start}: not shown, no edit that could flip an answer has a partner of the same amount."
    interval = "" if contrast.low is None else f" ({contrast.low:+.2f} to {contrast.high:+.2f})"
    effect = f"the finding moves its answer by {contrast.value:+.2f}{interval} more than the same amount elsewhere"
    if answer is None:
        reason = "one image has no interval" if contrast.low is None else "the interval includes 0 or no answer flips"
        return f"{start}: not shown, {effect}; {reason}."
    return f"{start}: {'yes' if answer else 'no'}, {effect}; {_flips(pairs)}."


def _flips(pairs: Sequence[Pair]) -> str:
    """Compare flips over one pair a case, the first, since pairs of a case are alike."""
    of_case = list({pair.case: pair for pair in reversed(pairs)}.values())
    only = sum(pair.flipped and not pair.flipped_elsewhere for pair in of_case)
    other = sum(pair.flipped_elsewhere and not pair.flipped for pair in of_case)
    return (
        f"of {len(of_case)} cases only the finding flips {only}, only the change elsewhere {other} "
        f"(McNemar's exact test, p = {mcnemar(only, other):.2g})"
    )


def shift_sentence(row: ResultRow, mode: str, fell: int, rose: int) -> str:
    """Return the verdict on a model under a shift.

    Args:
        row: its measures.
        mode: the test.
        fell: cases that are right before and wrong after.
        rose: the reverse.
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
    if drop.low > 0:
        return f"{start}: no, {text}."
    limit = "its answers" if mode == POPULATION else "that it follows the finding"
    return f"{start}: not refuted, {text}. Whether {limit} can be relied on depends on how many images there are."


def _share(metrics: Metrics, key: str) -> float:
    return metrics.get(key, _UNDEFINED).value or 0.0
