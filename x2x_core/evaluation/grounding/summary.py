"""The record of a grounding audit, for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES, draw_counts
from x2x_core.evaluation.metrics.estimates import as_values, estimates
from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.results import Case, Metrics, ResultRow, Results

from .edits import BACKGROUND, FOREGROUND, NORMAL, SHIFTED
from .measures import GROUNDING_MEASURES, SHIFT_MEASURES, Line, grounding_lines, pairs, shift_lines
from .plan import GROUNDING, POPULATION, GroundingSettings
from .verdict import grounding_sentence, shift_sentence

RECORD = "grounding.json"
MOST_CASES = 8
NOTICE = (
    "Counterfactuals are synthetic: an answer that does not follow may be the model's fault or the edit's. Look at the "
    "pictures before you blame either. For research, not for diagnosis."
)
_SHOWN = (
    "contrast", "specific", "added_flips", "removed_flips", "background_flips", "unchanged", "blank_unchanged", "kept",
    "right_before", "right_after", "drop", "effect",
)  # fmt: skip
_TITLES = {
    "grounding": "Grounding audit",
    "acquisition": "Acquisition shift",
    "manifestation": "Manifestation shift",
    "population": "Population shift",
}
_NAMES = {FOREGROUND: "added", BACKGROUND: "same amount elsewhere", NORMAL: "removed", SHIFTED: "shifted"}
Row = Mapping[str, Any]


def summarise_grounding(
    rows: Sequence[Row],
    settings: GroundingSettings,
    about: Mapping[str, Any] | None = None,
    records: Sequence[Mapping[str, Any]] = (),
) -> Results:
    """Return the record of an audit: one row of measures with intervals for each model, also for each finding.

    Args:
        rows: output of `x2x_core.evaluation.grounding.rows.audit_rows`, at least one.
        settings: of the audit.
        about: further entries of the record.
        records: the cases, for their masks in the gallery.
    """
    names = list(dict.fromkeys(row["answerer"] for row in rows))
    by_name = {name: [row for row in rows if row["answerer"] == name] for name in names}
    measures = GROUNDING_MEASURES if settings.mode == GROUNDING else SHIFT_MEASURES
    assumed = None if settings.mode in (GROUNDING, POPULATION) else True
    results, sentences = [], []
    for name, own in by_name.items():
        lines = list(grounding_lines(own) if settings.mode == GROUNDING else shift_lines(own, assumed))
        result = _row(name, lines, measures, settings.seed)
        results.append(result)
        if settings.mode == GROUNDING:
            sentences.append(grounding_sentence(result, list(pairs(own))))
        else:
            drops = [line.values["drop"] for line in lines]
            images = len({line.image for line in lines if line.values["right_before"]})
            sentences.append(shift_sentence(result, settings.mode, drops.count(1.0), drops.count(-1.0), images))
    record = _about(rows, settings, measures, names)
    record["verdict"] = {"sentences": sentences, "claims": []}
    return Results({**record, **(about or {})}, tuple(results), _cases(by_name, records))


def _row(name: str, lines: Sequence[Line], measures: Sequence[Measure], seed: int) -> ResultRow:
    findings = list(dict.fromkeys(line.finding for line in lines))
    per_finding = {f: _metrics([line for line in lines if line.finding == f], measures, seed) for f in findings}
    return ResultRow(name, _metrics(lines, measures, seed), per_finding)


def _metrics(lines: Sequence[Line], measures: Sequence[Measure], seed: int) -> Metrics:
    """Return the measures with intervals from resampled images, those that any line has."""
    used = [measure for measure in measures if any(line.values.get(measure.key) is not None for line in lines)]
    if not used:
        return {}
    counts = draw_counts([line.image for line in lines], torch.Generator().manual_seed(seed))
    values = torch.stack([as_values([line.values.get(measure.key) for line in lines]) for measure in used])
    found = estimates(values, counts, [measure.statistic for measure in used])
    return {measure.key: metric for measure, metric in zip(used, found)}


def _about(
    rows: Sequence[Row], settings: GroundingSettings, measures: Sequence[Measure], names: Sequence[str]
) -> dict[str, Any]:
    images = len({row["image"] for row in rows})
    cases = len({row["case"] for row in rows})
    return {
        "title": _TITLES[settings.mode],
        "kind": "grounding audit",
        "synthetic": True,
        "size": f"{images} images, {cases} questions",
        "notice": NOTICE,
        "settings": asdict(settings),
        "references": [],
        "ours": names[0],
        "compared": list(names),
        "shown": list(_SHOWN),
        "row_notes": dict.fromkeys(names, "a model that was asked"),
        "measures": {measure.key: asdict(measure) for measure in measures},
        "intervals": f"{LEVEL:.0%} percentile bootstrap over images, {RESAMPLES} resamples",
        "cases_note": "Outlines: where each edit could change the image.",
    }


def _cases(by_name: Mapping[str, Sequence[Row]], records: Sequence[Mapping[str, Any]]) -> tuple[Case, ...]:
    """Return the first cases of each finding with their pictures, and what the models said."""
    seen: dict[str, int] = {}
    chosen = []
    for record in records:
        number = seen.get(record["finding"], 0)
        seen[record["finding"]] = number + 1
        chosen.append((number, record))
    ordered = [record for _, record in sorted(chosen, key=lambda one: one[0])][:MOST_CASES]
    return tuple(_case(record, by_name) for record in ordered)


def _case(record: Mapping[str, Any], by_name: Mapping[str, Sequence[Row]]) -> Case:
    shown = _shown_edits(record)
    files = {"before": record["file"]}
    for label, number in shown.items():
        files |= {f"after: {label}": record["edits"][number - 1]["file"]}
        files |= {f"mask: {label}": record["edits"][number - 1]["mask"]}
    said = []
    for name, rows in by_name.items():
        own = {row["edit"]: row for row in rows if row["case"] == record["case"]}
        answers = [f"before {_word(own[1], 'before')}"] if 1 in own else []
        answers += [f"{label} {_word(own[number], 'after')}" for label, number in shown.items() if number in own]
        said.append(f"{name}: {', '.join(answers)}")
    image = str(record["image"]).replace("\\", "/").rpartition("/")[2]
    heading = f"{record['finding'].capitalize()}, {image}. {'; '.join(said)}"
    return Case(f"{record['case']:06d}", heading, files, {})


def _shown_edits(record: Mapping[str, Any]) -> dict[str, int]:
    """Return numbers of edits by their name in the gallery: one of each kind, of the moderate level."""
    shown: dict[str, int] = {}
    for number, edit in enumerate(record["edits"], start=1):
        wanted = edit["level"] == "moderate" or edit["kind"] in (NORMAL, SHIFTED)
        if wanted and edit["kind"] in _NAMES:
            shown.setdefault(_NAMES[edit["kind"]], number)
    return shown


def _word(row: Row, when: str) -> str:
    says, score = row[f"says_{when}"], row[f"score_{when}"]
    word = {True: "yes", False: "no", None: "neither"}[says]
    return word if score is None else f"{word} ({score:.2f})"
