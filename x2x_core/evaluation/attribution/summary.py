"""The record of an attribution audit, for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES, draw_counts
from x2x_core.evaluation.metrics.estimates import as_values, estimates
from x2x_core.evaluation.metrics.measure import HIGHER, LOWER, Measure
from x2x_core.evaluation.results import Case, Metrics, ResultRow, Results

from .methods import EDIT, REFERENCES
from .run import SEEN, AttributionSettings, explained

RECORD = "attribution.json"
MOST_CASES = 6
_WHERE, _SCORE = "Where the finding was drawn", "What the score needs"
ATTRIBUTION_MEASURES = (
    Measure("average_precision", "Average precision", _WHERE, HIGHER, "of the map's ranking of pixels"),
    Measure("pointing", "Pointing game", _WHERE, HIGHER, "the highest value lies inside", True, 1),
    Measure("best_iou", "Best IoU", _WHERE, HIGHER, "over all thresholds"),
    Measure("energy_inside", "Energy inside", _WHERE, HIGHER, "share of the squares", True, 1),
    Measure("deletion", "Deletion", _SCORE, LOWER, "area below the probability as the highest pixels are blurred"),
    Measure("insertion", "Insertion", _SCORE, HIGHER, "area below the probability as they come back into a blur"),
)  # fmt: skip
_NOTES = {
    "edit": "absolute change by an edit that removes the finding, restricted by the guidance",
    "integrated gradients": "of the log-odds, from a black image (captum)",
    "Grad-CAM": "of the log-odds (captum)",
    "latent shift": "Gifsplanation: the largest change as the VAE's latents move against the gradient",
    "pseudomask": "reference: where the finding can be, aligned to the lungs; knows nothing of the classifier",
    "random": "reference: noise",
}
NOTICE = (
    "The truth is where the simulator drew the finding. A classifier may rightly look elsewhere, so a map that misses "
    "the region is no proof against it, and a map that hits it says nothing of what the classifier used. For research, "
    "not for diagnosis."
)


def summarise_attribution(
    records: Sequence[Mapping[str, Any]], settings: AttributionSettings, about: Mapping[str, Any] | None = None
) -> Results:
    """Return the record: a row for each method, also for each finding, with intervals from resampled bodies.

    Args:
        records: output of `x2x_core.evaluation.attribution.run.run_attribution`.
        settings: of the run.
        about: further entries of the record.

    Raises:
        InputError: no pair was explained.
    """
    kept = explained([dict(record) for record in records])
    findings = list(dict.fromkeys(record["finding"] for record in kept))
    rows = []
    for method in settings.methods:
        per_finding = {
            name: _metrics([record for record in kept if record["finding"] == name], method, settings.seed)
            for name in findings
        }
        rows.append(ResultRow(method, _metrics(kept, method, settings.seed), per_finding))
    entries = {**_about(records, kept, settings), **(about or {})}
    return Results(entries, tuple(rows), tuple(_case(record) for record in kept[:MOST_CASES]))


def _metrics(records: Sequence[Mapping[str, Any]], method: str, seed: int) -> Metrics:
    counts = draw_counts([record["body"] for record in records], torch.Generator().manual_seed(seed))
    scores = [record["measures"][method] for record in records]
    values = torch.stack([as_values([score[measure.key] for score in scores]) for measure in ATTRIBUTION_MEASURES])
    found = estimates(values, counts, [measure.statistic for measure in ATTRIBUTION_MEASURES])
    return {measure.key: metric for measure, metric in zip(ATTRIBUTION_MEASURES, found)}


def _about(
    records: Sequence[Mapping[str, Any]], kept: Sequence[Mapping[str, Any]], settings: AttributionSettings
) -> dict[str, Any]:
    skipped = Counter(record["skipped"] for record in records if "skipped" in record)
    bodies = len({record["body"] for record in kept})
    falls = [record["after_edit"] for record in kept if record["after_edit"] is not None]
    notes = [f"{count} pairs were left out: {reason}." for reason, count in sorted(skipped.items())]
    if falls:
        flipped = sum(value < SEEN for value in falls)
        notes.append(f"The edit takes the probability below {SEEN:g} in {flipped} of {len(falls)} images.")
    return {
        "title": f"Explanations of {settings.classifier}",
        "kind": "attribution audit",
        "synthetic": True,
        "size": f"{len(kept)} images of {bodies} simulated bodies",
        "notice": NOTICE,
        "settings": asdict(settings),
        "references": list(REFERENCES),
        "ours": EDIT if EDIT in settings.methods else settings.methods[0],
        "compared": [method for method in settings.methods if method not in REFERENCES],
        "shown": [measure.key for measure in ATTRIBUTION_MEASURES],
        "row_notes": {method: _NOTES[method] for method in settings.methods},
        "measures": {measure.key: asdict(measure) for measure in ATTRIBUTION_MEASURES},
        "intervals": f"{LEVEL:.0%} percentile bootstrap over bodies, {RESAMPLES} resamples",
        "notes": notes,
        "cases_note": "Outlines: where the simulator drew the finding. Bright: high values of a map.",
    }


def _case(record: Mapping[str, Any]) -> Case:
    after = "" if record["after_edit"] is None else f", after the edit {record['after_edit']:.2f}"
    heading = f"{record['finding'].capitalize()}: probability {record['probability']:.2f}{after}"
    return Case(record["id"], heading, dict(record["files"]))
