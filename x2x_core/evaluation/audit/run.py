"""What an audit found: does a classifier's score follow the edit, how orderly, what else moves, which images break it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from x2x_core.evaluation.benchmark.ablation_measures import HIGHER, LOWER, Measure
from x2x_core.evaluation.benchmark.measures import level_scores
from x2x_core.evaluation.benchmark.statistics import as_values, estimates
from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES, draw_counts
from x2x_core.evaluation.results import Case, Metrics, ResultRow, Results

from .edits import AuditSettings, levels_of

RECORD = "audit.json"
KIND = "classifier audit"
SEEN = 0.5  # the score from which on the classifier sees a finding
MOST_BROKEN, MOST_CASES = 20, 6
ADD, REMOVE = "add", "remove"
TARGET, OTHERS = "The finding's score", "Other scores"

AUDIT_MEASURES = (
    Measure(
        "follows", "Score follows", TARGET, HIGHER, "edits after which the score went the way of the edit", True, 1
    ),
    Measure("change", "Change of score", TARGET, HIGHER, "in the direction of the edit; mean"),
    Measure(
        "flips", "Flips", TARGET, HIGHER, f"edits that took the score across {SEEN:g}, of those that could", True, 1
    ),
    Measure(
        "monotone",
        "All in order",
        TARGET,
        HIGHER,
        "images whose score rises from weak over moderate to strong",
        True,
        1,
    ),
    Measure(
        "ordered", "Twos in order", TARGET, HIGHER, "of the three twos of levels, the stronger scored higher", True, 1
    ),
    Measure("others", "Others move", OTHERS, LOWER, "mean absolute change of the other scores"),
    Measure("collateral", "Others flip", OTHERS, LOWER, f"other scores that crossed {SEEN:g}", True, 1),
    Measure(
        "changed_share", "Changed share", "The edit", "", "of the image; 0 says that the model changed nothing", True, 1
    ),
)
ROW_NOTES = {
    ADD: "the finding added: weak, moderate and strong, each an edit",
    REMOVE: f"the finding removed from images that the classifier sees it in (score of {SEEN:g} or more)",
}
NOTICE = (
    "Counterfactuals are synthetic: a score that does not follow may be the classifier's fault or the edit's. Look at the "
    "pictures before you blame either. For research, not for diagnosis."
)


def score_edit(before: Mapping[str, float], edit: Mapping[str, Any]) -> dict[str, float | None]:
    """What one edit did to the scores.

    Args:
        before: the image's scores by label.
        edit: a record of `x2x_core.evaluation.audit.edits`.

    Returns:
        The measures that one edit has; "flips" is ``None`` where the score was on the far side already.
    """
    finding, after = edit["finding"], edit["scores"]
    sign = 1 if edit["operation"] == ADD else -1
    change = sign * (after[finding] - before[finding])
    could = (before[finding] < SEEN) == (sign > 0)
    moved = [abs(after[label] - before[label]) for label in before if label != finding]
    crossed = [(after[label] >= SEEN) != (before[label] >= SEEN) for label in before if label != finding]
    return {
        "follows": float(change > 0),
        "change": change,
        "flips": float((after[finding] >= SEEN) == (sign > 0)) if could else None,
        "others": sum(moved) / len(moved) if moved else None,
        "collateral": sum(crossed) / len(crossed) if crossed else None,
        "changed_share": edit["changed_share"],
    }


def counts_for(before: Mapping[str, float], edit: Mapping[str, Any]) -> bool:
    """Whether an edit is asked of: all that add, and those that remove what the classifier sees."""
    return edit["operation"] == ADD or before[edit["finding"]] >= SEEN


def _lines(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A line of scores for each edit that counts, and one for each image and finding with the order of its levels."""
    lines = []
    for number, record in enumerate(records):
        edits = [edit for edit in record["edits"] if counts_for(record["scores"], edit)]
        for edit in edits:
            about = {"image": number, "finding": edit["finding"], "operation": edit["operation"]}
            lines.append({**about, **score_edit(record["scores"], edit)})
        for finding in dict.fromkeys(edit["finding"] for edit in edits):
            scores = {
                e["level"]: e["scores"][finding] for e in edits if e["finding"] == finding and e["operation"] == ADD
            }
            about = {"image": number, "finding": finding, "operation": ADD}
            lines.append({**about, **level_scores([scores[level] for level in levels_of(finding)])})
    return lines


def _metrics(lines: Sequence[Mapping[str, Any]], images: int, seed: int) -> Metrics:
    """All measures of some lines, with intervals from resampled images."""
    if not lines:
        return {}
    counts = draw_counts(range(images), torch.Generator().manual_seed(seed))[:, [line["image"] for line in lines]]
    values = torch.stack([as_values([line.get(one.key) for line in lines]) for one in AUDIT_MEASURES])
    found = estimates(values, counts, [one.statistic for one in AUDIT_MEASURES])
    return {one.key: metric for one, metric in zip(AUDIT_MEASURES, found)}


def summarise_audit(
    records: Sequence[Mapping[str, Any]], settings: AuditSettings, about: Mapping[str, Any] | None = None
) -> Results:
    """The record of an audit: rows "add" and "remove", each finding by itself, and what moves with what.

    Args:
        records: of `x2x_core.evaluation.audit.edits.audit_images`.
        settings: of the audit.
        about: what else to record.
    """
    lines = _lines(records)
    rows = []
    for operation in (ADD, REMOVE):
        of_row = [line for line in lines if line["operation"] == operation]
        by_finding = {f: [line for line in of_row if line["finding"] == f] for f in settings.findings}
        per_finding = {f: _metrics(some, len(records), settings.seed) for f, some in by_finding.items() if some}
        if of_row:
            rows.append(ResultRow(operation, _metrics(of_row, len(records), settings.seed), per_finding))
    broken = _broken(records)
    return Results(_about(records, settings, broken, about), tuple(rows), _cases(records, broken))


def _about(records, settings: AuditSettings, broken, about) -> dict[str, Any]:
    return {
        "title": f"Audit of {settings.classifier}",
        "kind": KIND,
        "synthetic": True,
        "size": f"{len(records)} images",
        "notice": NOTICE,
        **(about or {}),
        "settings": asdict(settings),
        "row_notes": ROW_NOTES,
        "references": [],
        "ours": ADD,
        "measures": {one.key: asdict(one) for one in AUDIT_MEASURES},
        "intervals": f"{LEVEL:.0%} percentile bootstrap over images, {RESAMPLES} resamples",
        "movement": movement(records),
        "breaking": [
            {key: one[key] for key in ("image", "instruction", "before", "after")} for one in broken[:MOST_BROKEN]
        ],
        "breaking_note": "Edits after which the finding's score went the wrong way, the worst first.",
        "cases_note": "The edits that the classifier's score followed worst.",
    }


def movement(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """The mean change of every score with every kind of edit, such as "add severe edema"."""
    found: dict[str, dict[str, list[float]]] = {}
    for record in records:
        for edit in (one for one in record["edits"] if counts_for(record["scores"], one)):
            words = " ".join(part for part in (edit["operation"], edit["level"], edit["finding"]) if part)
            row = found.setdefault(words, {label: [] for label in record["scores"]})
            for label, score in edit["scores"].items():
                row[label].append(score - record["scores"][label])
    return {words: {label: sum(some) / len(some) for label, some in row.items()} for words, row in found.items()}


def _broken(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The edits that the score did not follow, worst first."""
    found = []
    for number, record in enumerate(records):
        for edit in (one for one in record["edits"] if counts_for(record["scores"], one)):
            change = score_edit(record["scores"], edit)["change"]
            before, after = record["scores"][edit["finding"]], edit["scores"][edit["finding"]]
            if change <= 0:
                about = {"image": record["image"], "instruction": edit["instruction"], "before": before, "after": after}
                found.append({**about, "change": change, "number": number, "edit": edit})
    return sorted(found, key=lambda one: one["change"])


def _cases(records, broken: Sequence[Mapping[str, Any]]) -> tuple[Case, ...]:
    return tuple(
        Case(
            one["edit"]["file"].rpartition("/")[2].removesuffix(".png"),
            one["instruction"],
            {
                "before": records[one["number"]]["file"],
                "after": one["edit"]["file"],
                "guidance": one["edit"]["guidance"],
            },
            {"score before": one["before"], "score after": one["after"]},
        )
        for one in broken[:MOST_CASES]
    )
