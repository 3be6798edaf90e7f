"""The record of an audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES, draw_counts
from x2x_core.evaluation.metrics.estimates import as_values, estimates
from x2x_core.evaluation.metrics.level_order import level_order
from x2x_core.evaluation.results import Case, Metrics, ResultRow, Results

from .measures import ADD, AUDIT_MEASURES, REMOVE, SEEN, is_counted, score_edit
from .plan import AuditSettings, levels_of

RECORD = "audit.json"
KIND = "classifier audit"
MOST_BREAKING, MOST_CASES = 20, 6
ROW_NOTES = {
    ADD: "the finding added: weak, moderate and strong, each an edit",
    REMOVE: f"the finding removed from images that the classifier sees it in (score of {SEEN:g} or more)",
}
NOTICE = (
    "Counterfactuals are synthetic: a score that does not follow may be the classifier's fault or the edit's. Look at "
    "the pictures before you blame either. For research, not for diagnosis."
)
Record = Mapping[str, Any]  # of an image, see `x2x_core.evaluation.audit.edits`


def summarise_audit(
    records: Sequence[Record], settings: AuditSettings, about: Mapping[str, Any] | None = None
) -> Results:
    """Return the record of an audit: rows "add" and "remove", also for each finding, and how all scores move.

    Args:
        records: output of `x2x_core.evaluation.audit.edits.audit_images`.
        settings: of the audit.
        about: further entries of the record.
    """
    lines = _score_lines(records)
    rows = []
    for operation in (ADD, REMOVE):
        of_row = [line for line in lines if line["operation"] == operation]
        by_finding = {f: [line for line in of_row if line["finding"] == f] for f in settings.findings}
        per_finding = {f: _metrics(some, len(records), settings.seed) for f, some in by_finding.items() if some}
        if of_row:
            rows.append(ResultRow(operation, _metrics(of_row, len(records), settings.seed), per_finding))
    breaking = _breaking_edits(records)
    return Results(_about(records, settings, breaking, about), tuple(rows), _cases(records, breaking))


def _score_lines(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return a line of scores for each counted edit, and one with the order of levels for each image and finding."""
    lines = []
    for number, record in enumerate(records):
        edits = [edit for edit in record["edits"] if is_counted(record["scores"], edit)]
        for edit in edits:
            about = {"image": number, "finding": edit["finding"], "operation": edit["operation"]}
            lines.append({**about, **score_edit(record["scores"], edit)})
        for finding in dict.fromkeys(edit["finding"] for edit in edits):
            scores = {
                edit["level"]: edit["scores"][finding]
                for edit in edits
                if edit["finding"] == finding and edit["operation"] == ADD
            }
            about = {"image": number, "finding": finding, "operation": ADD}
            lines.append({**about, **level_order([scores[level] for level in levels_of(finding)])})
    return lines


def _metrics(lines: Sequence[Mapping[str, Any]], images: int, seed: int) -> Metrics:
    """Return all measures of some lines, with intervals from resampled images."""
    if not lines:
        return {}
    counts = draw_counts(range(images), torch.Generator().manual_seed(seed))[:, [line["image"] for line in lines]]
    values = torch.stack([as_values([line.get(measure.key) for line in lines]) for measure in AUDIT_MEASURES])
    found = estimates(values, counts, [measure.statistic for measure in AUDIT_MEASURES])
    return {measure.key: value for measure, value in zip(AUDIT_MEASURES, found)}


def _about(
    records: Sequence[Record],
    settings: AuditSettings,
    breaking: Sequence[Mapping[str, Any]],
    about: Mapping[str, Any] | None,
) -> dict[str, Any]:
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
        "measures": {measure.key: asdict(measure) for measure in AUDIT_MEASURES},
        "intervals": f"{LEVEL:.0%} percentile bootstrap over images, {RESAMPLES} resamples",
        "movement": movement(records),
        "breaking": [
            {key: edit[key] for key in ("image", "instruction", "before", "after")} for edit in breaking[:MOST_BREAKING]
        ],
        "breaking_note": "Edits after which the finding's score went the wrong way, the worst first.",
        "cases_note": "The edits that the classifier's score followed worst.",
    }


def movement(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Return the mean change of every score for every kind of edit, such as "add severe edema"."""
    changes: dict[str, dict[str, list[float]]] = {}
    for record in records:
        for edit in (edit for edit in record["edits"] if is_counted(record["scores"], edit)):
            kind = " ".join(part for part in (edit["operation"], edit["level"], edit["finding"]) if part)
            row = changes.setdefault(kind, {label: [] for label in record["scores"]})
            for label, score in edit["scores"].items():
                row[label].append(score - record["scores"][label])
    return {kind: {label: sum(values) / len(values) for label, values in row.items()} for kind, row in changes.items()}


def _breaking_edits(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the edits that the score did not follow, worst first."""
    breaking = []
    for number, record in enumerate(records):
        for edit in (edit for edit in record["edits"] if is_counted(record["scores"], edit)):
            change = score_edit(record["scores"], edit)["change"] or 0.0
            before, after = record["scores"][edit["finding"]], edit["scores"][edit["finding"]]
            if change <= 0:
                about = {"image": record["image"], "instruction": edit["instruction"], "before": before, "after": after}
                breaking.append({**about, "change": change, "number": number, "edit": edit})
    return sorted(breaking, key=lambda edit: edit["change"])


def _cases(records: Sequence[Record], breaking: Sequence[Mapping[str, Any]]) -> tuple[Case, ...]:
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
        for one in breaking[:MOST_CASES]
    )
