"""Measures of an audit: does the score follow the edit, in which order, and what else changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from x2x_core.evaluation.metrics.measure import HIGHER, LOWER, NEITHER, Measure

SEEN = 0.5  # score at and above which the classifier sees a finding
ADD, REMOVE = "add", "remove"
_TARGET, _OTHERS, _EDIT = "The finding's score", "Other scores", "The edit"

AUDIT_MEASURES = (
    Measure("follows", "Score follows", _TARGET, HIGHER, "edits after which the score moved in the edit's direction",
            True, 1),
    Measure("change", "Change of score", _TARGET, HIGHER, "in the direction of the edit; mean"),
    Measure("flips", "Flips", _TARGET, HIGHER, f"edits that took the score across {SEEN:g}, of those that could",
            True, 1),
    Measure("monotone", "All in order", _TARGET, HIGHER, "images whose score rises from weak over moderate to strong",
            True, 1),
    Measure("ordered", "Twos in order", _TARGET, HIGHER, "of the three twos of levels, the stronger scored higher",
            True, 1),
    Measure("others", "Others move", _OTHERS, LOWER, "mean absolute change of the other scores"),
    Measure("collateral", "Others flip", _OTHERS, LOWER, f"other scores that crossed {SEEN:g}", True, 1),
    Measure("changed_share", "Changed share", _EDIT, NEITHER, "of the image; 0 means that the model changed nothing",
            True, 1),
)  # fmt: skip


def score_edit(before: Mapping[str, float], edit: Mapping[str, Any]) -> dict[str, float | None]:
    """Measure how one edit changed the scores.

    Args:
        before: the image's scores by label.
        edit: record of an edit, see `x2x_core.evaluation.audit.edits`.

    Returns:
        The measures of single edits; "flips" is ``None`` if the score was on the far side already.
    """
    finding, after = edit["finding"], edit["scores"]
    sign = 1 if edit["operation"] == ADD else -1
    change = sign * (after[finding] - before[finding])
    could_flip = (before[finding] < SEEN) == (sign > 0)
    others = [label for label in before if label != finding]
    moved = [abs(after[label] - before[label]) for label in others]
    crossed = [(after[label] >= SEEN) != (before[label] >= SEEN) for label in others]
    return {
        "follows": float(change > 0),
        "change": change,
        "flips": float((after[finding] >= SEEN) == (sign > 0)) if could_flip else None,
        "others": sum(moved) / len(moved) if moved else None,
        "collateral": sum(crossed) / len(crossed) if crossed else None,
        "changed_share": edit["changed_share"],
    }


def is_counted(before: Mapping[str, float], edit: Mapping[str, Any]) -> bool:
    """Return True for edits that add, and for edits that remove what the classifier sees."""
    return edit["operation"] == ADD or before[edit["finding"]] >= SEEN
