"""From evidence to the table: every metric of every row with its interval, overall, per finding and per operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch

from x2x_core.evaluation.metrics.bootstrap import draw_counts, interval
from x2x_core.evaluation.metrics.catalogue import ATTRIBUTE_PREFIX, DICE_PREFIX
from x2x_core.evaluation.metrics.classification import accuracy, auroc, macro_auroc, mean_of_defined, weighted_mean
from x2x_core.evaluation.metrics.composite import cmig, is_clipped
from x2x_core.evaluation.metrics.correlation import pearson
from x2x_core.evaluation.metrics.divergence import label_divergence
from x2x_core.evaluation.metrics.fid_interval import CENTRED, fid_with_interval
from x2x_core.evaluation.results import TARGET, Metric, Metrics, ResultRow

from .evidence import Evidence

AGE = "age"
NO_FINDINGS = "no scorer of findings takes part"
NO_RACE = "no scorer of race takes part, or no race is recorded"
NO_AGE = "no scorer of age takes part, or no age is recorded"
NO_VALUES = "no scorer of attributes takes part, or none of its attributes is known"
NO_FEATURES = "no source of features takes part"
SELF = "the real targets are what this is measured against"
ONE_PATIENT = "no interval: all pairs are of one patient"
_UNDEFINED = {
    "pathology_auroc": "no finding is both present and absent among the known labels",
    "race_auroc": "fewer than two classes are recorded",
    "flip_rate": "no clause adds a finding that was not predicted or removes one that was",
    "score_follows": "no clause about a scored finding says which way",
}


@dataclass(frozen=True)
class Statistic:
    """A metric as a function of the pairs' weights `(R, n)`, and how many images, pairs or clauses it rests on."""

    of: Callable[[torch.Tensor], torch.Tensor]
    n: int
    note: str = ""


def result_rows(evidence: Evidence, generator: torch.Generator) -> tuple[ResultRow, ...]:
    """All metrics of all rows; pairs of one patient are resampled together, the same resamples serve all.

    Args:
        evidence: see `x2x_core.evaluation.on_dataset.evidence.gather`.
        generator: of the bootstrap.
    """
    counts = draw_counts([truth.group for truth in evidence.truths], generator)
    groups = {kind: _places(evidence, kind) for kind in ("finding", "operation")}
    rows = []
    for name in evidence.rows:
        metrics = _metrics(evidence, name, counts)
        by_finding = {
            finding: {
                **_metrics(evidence.take(places), name, counts[:, places], grouped=True),
                **_finding_alone(evidence, name, counts, finding),
            }
            for finding, places in groups["finding"].items()
        }
        by_operation = {
            operation: _metrics(evidence.take(places), name, counts[:, places], grouped=True)
            for operation, places in groups["operation"].items()
        }
        metrics["fid"] = _fid(evidence, name, counts)
        rows.append(ResultRow(name, metrics, by_finding, by_operation))
    return tuple(rows)


def _places(evidence: Evidence, kind: str) -> dict[str, list[int]]:
    """Findings or operations that instructions name, to the pairs that name them."""
    found: dict[str, list[int]] = {}
    for number, instruction in enumerate(evidence.instructions):
        names = {c.finding if kind == "finding" else c.operation.value for c in instruction.clauses}
        for name in sorted(names):
            found.setdefault(name, []).append(number)
    return dict(sorted(found.items()))


def _metrics(evidence: Evidence, row: str, counts: torch.Tensor, grouped: bool = False) -> Metrics:
    statistics = {
        **_composite_parts(evidence, row),
        **_pixel_statistics(evidence, row),
        **_flip_statistics(evidence, row),
    }
    statistics |= _attribute_statistics(evidence, row)
    metrics = {key: _estimate(key, one, counts) for key, one in statistics.items()}
    if not grouped:
        metrics |= _cmig(statistics, metrics, counts)
    largest = evidence.rows[row].measures["change_outside_mask"]
    metrics["change_outside_mask"] = _largest(largest)
    return metrics


def _estimate(key: str, statistic: Statistic | str, counts: torch.Tensor) -> Metric:
    """A metric with its interval; a statistic that is text says why it is undefined."""
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


# -- pathology, race, age ---------------------------------------------------------------------------------------------


def _known_findings(evidence: Evidence) -> tuple[torch.Tensor, torch.Tensor]:
    """Truth and whether it is known, `(n, F)` bool each."""
    labels = evidence.finding_labels
    table = [[truth.findings.get(label) for label in labels] for truth in evidence.truths]
    positive = torch.tensor([[value is True for value in line] for line in table]).reshape(len(table), len(labels))
    known = torch.tensor([[value is not None for value in line] for line in table]).reshape(len(table), len(labels))
    return positive, known


def _composite_parts(evidence: Evidence, row: str) -> dict[str, Statistic | str]:
    scored = evidence.rows[row]
    found: dict[str, Statistic | str] = {"race_accuracy": NO_RACE, "race_auroc": NO_RACE, **_age(evidence, row)}
    found |= {"pathology_auroc": NO_FINDINGS, "label_kl": NO_FINDINGS}
    if evidence.finding_labels:
        positive, known = _known_findings(evidence)
        of = partial(macro_auroc, scored.findings, positive, known)
        found["pathology_auroc"] = Statistic(of, int(known.any(1).sum()), _left_out(evidence, positive, known))
        real = evidence.rows[TARGET].findings
        kl = Statistic(partial(label_divergence, scored.findings, real), len(evidence))
        found["label_kl"] = SELF if row == TARGET else kl
    classes = [label.lower() for label in evidence.race_labels]
    place = [n for n, truth in enumerate(evidence.truths) if (truth.race or "").lower() in classes]
    if place:
        truth = torch.tensor([classes.index(evidence.truths[n].race.lower()) for n in place])
        scores, one_hot = scored.race[place], torch.nn.functional.one_hot(truth, len(classes)).bool()
        everything = torch.ones_like(one_hot)
        found["race_accuracy"] = Statistic(lambda w: accuracy(scores, truth, w[:, place]), len(place))
        found["race_auroc"] = Statistic(lambda w: macro_auroc(scores, one_hot, everything, w[:, place]), len(place))
    return found


def _left_out(evidence: Evidence, positive: torch.Tensor, known: torch.Tensor) -> str:
    """Which findings are undefined and so no part of the mean."""
    both = (positive & known).any(0) & (~positive & known).any(0)
    missing = [label for label, fine in zip(evidence.finding_labels, both.tolist()) if not fine]
    return f"undefined and left out of the mean: {', '.join(missing)}" if missing else ""


def _age(evidence: Evidence, row: str) -> dict[str, Statistic | str]:
    return {"age_correlation": _correlation(evidence, row, AGE) or NO_AGE}


def _correlation(evidence: Evidence, row: str, label: str) -> Statistic | None:
    """Of a scored value with its truth; ``None`` where it is not scored or nowhere known."""
    place = [n for n, truth in enumerate(evidence.truths) if label in truth.values]
    if label not in evidence.value_labels or not place:
        return None
    found = evidence.rows[row].values[place, evidence.value_labels.index(label)]
    truth = torch.tensor([evidence.truths[n].values[label] for n in place], dtype=torch.float64)
    return Statistic(lambda w: pearson(found, truth, w[:, place]), len(place))


def _cmig(statistics: dict[str, Statistic | str], metrics: Metrics, counts: torch.Tensor) -> Metrics:
    """The composite with either score of race; undefined where a component is."""
    found = {}
    for key, race in (("cmig", "race_accuracy"), ("cmig_race_auroc", "race_auroc")):
        names = ("pathology_auroc", race, "age_correlation")
        missing = [name for name in names if metrics[name].value is None]
        if missing:
            found[key] = Metric(None, note=f"needs {', '.join(missing)}")
            continue
        parts = [statistics[name].of for name in names]
        one = Statistic(lambda w, parts=parts: cmig(*(part(w) for part in parts)), min(metrics[n].n for n in names))
        if is_clipped(metrics["age_correlation"].value):
            one = replace(one, note="the correlation of age is negative and counts as 0")
        found[key] = _estimate(key, one, counts)
    return found


def _finding_alone(evidence: Evidence, row: str, counts: torch.Tensor, finding: str) -> Metrics:
    """AUROC and label divergence of one finding, over all pairs whose label of it is known."""
    if finding not in evidence.finding_labels:
        reason = "not among the scorer's findings" if evidence.finding_labels else NO_FINDINGS
        return {key: Metric(None, note=reason) for key in ("pathology_auroc", "label_kl")}
    column = evidence.finding_labels.index(finding)
    positive, known = (table[:, column] for table in _known_findings(evidence))
    scored, real = (evidence.rows[name].findings[:, column] for name in (row, TARGET))
    area = Statistic(lambda w: auroc(scored[known], positive[known], w[:, known]), int(known.sum()))
    kl = Statistic(partial(label_divergence, scored[:, None], real[:, None]), len(evidence))
    return {
        "pathology_auroc": _estimate("pathology_auroc", area, counts),
        "label_kl": _estimate("label_kl", SELF if row == TARGET else kl, counts),
    }


def _fid(evidence: Evidence, row: str, counts: torch.Tensor) -> Metric:
    features = evidence.rows[row].features
    if not features.shape[1]:
        return Metric(None, note=NO_FEATURES)
    if row == TARGET:
        return Metric(None, n=len(evidence), note=SELF)
    return fid_with_interval(features, evidence.rows[TARGET].features, counts)


# -- pixels, flips, attributes ----------------------------------------------------------------------------------------


def _pixel_statistics(evidence: Evidence, row: str) -> dict[str, Statistic | str]:
    measures = evidence.rows[row].measures
    keys = [key for key in measures if key != "change_outside_mask"]
    return {key: Statistic(partial(weighted_mean, measures[key]), int((~measures[key].isnan()).sum())) for key in keys}


def _flip_statistics(evidence: Evidence, row: str) -> dict[str, Statistic | str]:
    keys = {
        "flip_rate": ("flipped", "could_flip"),
        "score_follows": ("followed", "could_follow"),
        "collateral_flips": ("other_flips", "others"),
    }
    if not evidence.finding_labels:
        return dict.fromkeys(keys, NO_FINDINGS)
    found = {}
    for key, names in keys.items():
        hits, chances = (
            torch.tensor([getattr(one, name) for one in evidence.rows[row].flips], dtype=torch.float64)
            for name in names
        )
        found[key] = Statistic(lambda w, hits=hits, chances=chances: (w @ hits) / (w @ chances), int(chances.sum()))
    return found


def _attribute_statistics(evidence: Evidence, row: str) -> dict[str, Statistic | str]:
    """Each attribute's correlation, their mean and the lowest of them."""
    found = {label: _correlation(evidence, row, label) for label in evidence.value_labels if label != AGE}
    found = {label: one for label, one in found.items() if one}
    if not found:
        return dict.fromkeys(("attribute_correlation", "attribute_worst"), NO_VALUES)
    parts, n = [one.of for one in found.values()], min(one.n for one in found.values())
    every = {ATTRIBUTE_PREFIX + label: one for label, one in found.items()}
    mean = Statistic(lambda w: mean_of_defined([part(w) for part in parts]), n)
    worst = Statistic(lambda w: _lowest([part(w) for part in parts]), n)
    return {"attribute_correlation": mean, "attribute_worst": worst, **every}


def _lowest(columns: list[torch.Tensor]) -> torch.Tensor:
    """The lowest of several `(R,)`, nan left out; nan where all are."""
    found = torch.stack(columns)
    return torch.where(found.isnan().all(0), torch.nan, found.nan_to_num(nan=torch.inf).amin(0))
