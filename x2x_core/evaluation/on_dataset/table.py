"""From evidence to the rows of a record: every metric with its interval, overall, per finding and per operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch

from x2x_core.evaluation.metrics.auroc import auroc
from x2x_core.evaluation.metrics.bootstrap import ONE_PATIENT, draw_counts, interval
from x2x_core.evaluation.metrics.catalogue import DICE_PREFIX
from x2x_core.evaluation.metrics.cmig import cmig, is_clipped
from x2x_core.evaluation.metrics.fid_interval import CENTRED
from x2x_core.evaluation.metrics.label_divergence import label_divergence
from x2x_core.evaluation.results import TARGET, Metric, Metrics, ResultRow

from .evidence import Evidence
from .set_metrics import set_metrics
from .statistics import NO_FINDINGS, SELF, Statistic, Statistics, known_findings, row_statistics

_UNDEFINED = {
    "pathology_auroc": "no finding is both present and absent among the known labels",
    "race_auroc": "fewer than two classes are recorded",
    "effectiveness": "no clause adds or removes a scored finding",
    "flip_rate": "no clause adds a finding that was not predicted or removes one that was",
    "score_follows": "no clause about a scored finding says which way",
}


def result_rows(evidence: Evidence, generator: torch.Generator) -> tuple[ResultRow, ...]:
    """Return all metrics of all rows. Pairs of one patient are resampled together; all rows share the resamples.

    Args:
        evidence: see `x2x_core.evaluation.on_dataset.gathering.gather_evidence`.
        generator: of the bootstrap.
    """
    counts = draw_counts([truth.group for truth in evidence.truths], generator)
    groups = {kind: _members(evidence, kind) for kind in ("finding", "operation")}
    rows = []
    for name in evidence.rows:
        metrics = _metrics(evidence, name, counts)
        by_finding = {
            finding: {
                **_metrics(evidence.take(indices), name, counts[:, indices], grouped=True),
                **_finding_alone(evidence, name, counts, finding),
            }
            for finding, indices in groups["finding"].items()
        }
        by_operation = {
            operation: _metrics(evidence.take(indices), name, counts[:, indices], grouped=True)
            for operation, indices in groups["operation"].items()
        }
        metrics |= set_metrics(evidence, name, counts)
        rows.append(ResultRow(name, metrics, by_finding, by_operation))
    return tuple(rows)


def _members(evidence: Evidence, kind: str) -> dict[str, list[int]]:
    """Map findings or operations to the pairs whose instructions name them."""
    members: dict[str, list[int]] = {}
    for index, instruction in enumerate(evidence.instructions):
        names = {c.finding if kind == "finding" else c.operation.value for c in instruction.clauses}
        for name in sorted(names):
            members.setdefault(name, []).append(index)
    return dict(sorted(members.items()))


def _metrics(evidence: Evidence, row: str, counts: torch.Tensor, grouped: bool = False) -> Metrics:
    statistics = row_statistics(evidence, row)
    metrics = {key: _estimate(key, statistic, counts) for key, statistic in statistics.items()}
    if not grouped:
        metrics |= _cmig(statistics, metrics, counts)
    metrics["change_outside_mask"] = _largest(evidence.rows[row].measures["change_outside_mask"])
    return metrics


def _estimate(key: str, statistic: Statistic | str, counts: torch.Tensor) -> Metric:
    """Return a statistic with its interval; a string is the reason why it is undefined."""
    if isinstance(statistic, str):
        return Metric(None, note=statistic)
    value, low, high = interval(statistic.of, counts, distance=key == "label_kl")
    if value is None:
        return Metric(None, n=statistic.n, note=_undefined(key))
    notes = [statistic.note] if statistic.note else []
    notes += [ONE_PATIENT] if low is None else [CENTRED] if key == "label_kl" else []
    return Metric(value, low, high, statistic.n, "; ".join(notes))


def _undefined(key: str) -> str:
    if key.startswith(DICE_PREFIX) or key == "lung_dice":
        return "found in no image nor in its input"
    return _UNDEFINED.get(key, "undefined for these images")


def _largest(values: torch.Tensor) -> Metric:
    defined = values[~values.isnan()]
    if not len(defined):
        return Metric(None, note="every mask covers its whole image")
    return Metric(float(defined.max()), n=len(defined), note="the largest over all images: no interval")


def _cmig(statistics: Mapping[str, Statistic | str], metrics: Metrics, counts: torch.Tensor) -> Metrics:
    """Return the composite with either score of race; undefined if a component is."""
    composites = {}
    for key, race in (("cmig", "race_accuracy"), ("cmig_race_auroc", "race_auroc")):
        names = ("pathology_auroc", race, "age_correlation")
        parts = [statistic for name in names if isinstance(statistic := statistics[name], Statistic)]
        age = metrics["age_correlation"].value
        missing = [name for name in names if metrics[name].value is None]
        if missing or age is None:
            composites[key] = Metric(None, note=f"needs {', '.join(missing)}")
            continue
        composite = Statistic(partial(_composite, parts), min(metrics[name].n for name in names))
        if is_clipped(age):
            composite = replace(composite, note="the correlation of age is negative and counts as 0")
        composites[key] = _estimate(key, composite, counts)
    return composites


def _composite(parts: list[Statistic], weights: torch.Tensor) -> torch.Tensor:
    pathology, race, age = (part.of(weights) for part in parts)
    return cmig(pathology, race, age)


def _finding_alone(evidence: Evidence, row: str, counts: torch.Tensor, finding: str) -> Metrics:
    """Return AUROC and label divergence of one finding over all pairs whose label of it is known."""
    if finding not in evidence.finding_labels:
        reason = "not among the scorer's findings" if evidence.finding_labels else NO_FINDINGS
        return {key: Metric(None, note=reason) for key in ("pathology_auroc", "label_kl")}
    column = evidence.finding_labels.index(finding)
    positive, known = (table[:, column] for table in known_findings(evidence))
    scores, real = (evidence.rows[name].findings[:, column] for name in (row, TARGET))
    area = Statistic(lambda w: auroc(scores[known], positive[known], w[:, known]), int(known.sum()))
    divergence = Statistic(partial(label_divergence, scores[:, None], real[:, None]), len(evidence))
    alone: Statistics = {"pathology_auroc": area, "label_kl": SELF if row == TARGET else divergence}
    return {key: _estimate(key, statistic, counts) for key, statistic in alone.items()}
