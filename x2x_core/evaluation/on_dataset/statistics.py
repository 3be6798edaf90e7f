"""Metrics of one row as functions of the pairs' weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from x2x_core.evaluation.metrics.accuracy import accuracy
from x2x_core.evaluation.metrics.auroc import macro_auroc
from x2x_core.evaluation.metrics.catalogue import ATTRIBUTE_PREFIX
from x2x_core.evaluation.metrics.estimates import mean_of_defined, weighted_mean
from x2x_core.evaluation.metrics.label_divergence import label_divergence
from x2x_core.evaluation.metrics.pearson import pearson
from x2x_core.evaluation.results import TARGET

from .evidence import Evidence

AGE = "age"
NO_FINDINGS = "no scorer of findings takes part"
NO_RACE = "no scorer of race takes part, or no race is recorded"
NO_AGE = "no scorer of age takes part, or no age is recorded"
NO_VALUES = "no scorer of attributes takes part, or none of its attributes is known"
NO_IMAGE_TEXT = "no model of images and texts takes part"
SELF = "the real targets are what this is measured against"


@dataclass(frozen=True)
class Statistic:
    """A metric before resampling.

    Args:
        of: function of the pairs' weights, `(R, n)` to `(R,)`.
        n: number of images, pairs or clauses that it is computed from.
        note: caveat for readers.
    """

    of: Callable[[torch.Tensor], torch.Tensor]
    n: int
    note: str = ""


Statistics = dict[str, Statistic | str]  # key to the statistic, or to the reason why it is undefined


def row_statistics(evidence: Evidence, row: str) -> Statistics:
    """Return all metrics of a row that are functions of the pairs' weights."""
    return {
        **_race_statistics(evidence, row),
        "age_correlation": _correlation(evidence, row, AGE) or NO_AGE,
        **_finding_statistics(evidence, row),
        "image_text": NO_IMAGE_TEXT,
        **_pixel_statistics(evidence, row),
        **_flip_statistics(evidence, row),
        **_attribute_statistics(evidence, row),
    }


def known_findings(evidence: Evidence) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the truth about each finding, and whether it is known, `(n, F)` bool each."""
    labels = evidence.finding_labels
    table = [[truth.findings.get(label) for label in labels] for truth in evidence.truths]
    positive = torch.tensor([[value is True for value in line] for line in table]).reshape(len(table), len(labels))
    known = torch.tensor([[value is not None for value in line] for line in table]).reshape(len(table), len(labels))
    return positive, known


def _finding_statistics(evidence: Evidence, row: str) -> Statistics:
    if not evidence.finding_labels:
        return dict.fromkeys(("pathology_auroc", "label_kl"), NO_FINDINGS)
    scores, real = evidence.rows[row].findings, evidence.rows[TARGET].findings
    positive, known = known_findings(evidence)
    area = partial(macro_auroc, scores, positive, known)
    divergence = Statistic(partial(label_divergence, scores, real), len(evidence))
    return {
        "pathology_auroc": Statistic(area, int(known.any(1).sum()), _left_out(evidence, positive, known)),
        "label_kl": SELF if row == TARGET else divergence,
    }


def _left_out(evidence: Evidence, positive: torch.Tensor, known: torch.Tensor) -> str:
    """Name the findings that are undefined and not part of the mean."""
    defined = (positive & known).any(0) & (~positive & known).any(0)
    missing = [label for label, is_defined in zip(evidence.finding_labels, defined.tolist()) if not is_defined]
    return f"undefined and left out of the mean: {', '.join(missing)}" if missing else ""


def _race_statistics(evidence: Evidence, row: str) -> Statistics:
    classes = [label.lower() for label in evidence.race_labels]
    races = [(truth.race or "").lower() for truth in evidence.truths]
    indices = [n for n, race in enumerate(races) if race in classes]
    if not indices:
        return dict.fromkeys(("race_accuracy", "race_auroc"), NO_RACE)
    truth = torch.tensor([classes.index(races[n]) for n in indices])
    scores, one_hot = evidence.rows[row].race[indices], torch.nn.functional.one_hot(truth, len(classes)).bool()
    known = torch.ones_like(one_hot)
    return {
        "race_accuracy": Statistic(lambda w: accuracy(scores, truth, w[:, indices]), len(indices)),
        "race_auroc": Statistic(lambda w: macro_auroc(scores, one_hot, known, w[:, indices]), len(indices)),
    }


def _correlation(evidence: Evidence, row: str, label: str) -> Statistic | None:
    """Return the correlation of a scored value with its truth; ``None`` if it is not scored or nowhere known."""
    indices = [n for n, truth in enumerate(evidence.truths) if label in truth.values]
    if label not in evidence.value_labels or not indices:
        return None
    read = evidence.rows[row].values[indices, evidence.value_labels.index(label)]
    truth = torch.tensor([evidence.truths[n].values[label] for n in indices], dtype=torch.float64)
    return Statistic(lambda w: pearson(read, truth, w[:, indices]), len(indices))


def _pixel_statistics(evidence: Evidence, row: str) -> Statistics:
    measures = {key: values for key, values in evidence.rows[row].measures.items() if key != "change_outside_mask"}
    return {
        key: Statistic(partial(weighted_mean, values), int((~values.isnan()).sum())) for key, values in measures.items()
    }


def _flip_statistics(evidence: Evidence, row: str) -> Statistics:
    counted = {
        "effectiveness": ("as_asked", "toggles"),
        "flip_rate": ("flipped", "could_flip"),
        "score_follows": ("followed", "could_follow"),
        "collateral_flips": ("other_flips", "others"),
    }
    if not evidence.finding_labels:
        return dict.fromkeys(counted, NO_FINDINGS)
    statistics: Statistics = {}
    for key, names in counted.items():
        hits, chances = (
            torch.tensor([getattr(of_pair, name) for of_pair in evidence.rows[row].flips], dtype=torch.float64)
            for name in names
        )
        statistics[key] = Statistic(partial(_rate, hits, chances), int(chances.sum()))
    return statistics


def _rate(hits: torch.Tensor, chances: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (weights @ hits) / (weights @ chances)


def _attribute_statistics(evidence: Evidence, row: str) -> Statistics:
    """Return each attribute's correlation, their mean and the lowest of them."""
    correlations = {label: _correlation(evidence, row, label) for label in evidence.value_labels if label != AGE}
    known = {label: statistic for label, statistic in correlations.items() if statistic}
    if not known:
        return dict.fromkeys(("attribute_correlation", "attribute_worst"), NO_VALUES)
    parts, n = [statistic.of for statistic in known.values()], min(statistic.n for statistic in known.values())
    return {
        "attribute_correlation": Statistic(lambda w: mean_of_defined([part(w) for part in parts]), n),
        "attribute_worst": Statistic(lambda w: _lowest([part(w) for part in parts]), n),
        **{ATTRIBUTE_PREFIX + label: statistic for label, statistic in known.items()},
    }


def _lowest(columns: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the lowest of several `(R,)`, leaving out nan; nan where all are nan."""
    values = torch.stack(list(columns))
    return torch.where(values.isnan().all(0), torch.nan, values.nan_to_num(nan=torch.inf).amin(0))
