"""View of a record for pages, tables and figures: measures, roles of rows, numbers as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from x2x_core.evaluation.metrics.catalogue import ATTRIBUTE_PREFIX, DICE_PREFIX, METRICS, info
from x2x_core.evaluation.metrics.measure import HIGHER, LOWER, Measure
from x2x_core.evaluation.results import EDITED, TARGET, UNEDITED, Metric, ResultRow, Results

OURS, PEER, REFERENCE = "ours", "peer", "reference"  # roles of rows
OTHER_GROUP = "Measures"
UNDEFINED = "–"

# Columns of the summary and panels of the groups, if the record has them; else the first measures that it has.
SUMMARY_MEASURES = (
    "average_precision", "editable_share", "change_outside", "mse_ratio", "ssim", "direction", "closer",
    "monotone", "structure", "attribute_shift", "fid",
    "cmig", "pathology_auroc", "race_accuracy", "age_correlation", "label_kl", "ssim_inside", "ssim_outside",
    "flip_rate", "score_follows", "collateral_flips", "lung_dice",
    "follows", "change", "flips", "ordered", "others", "collateral", "changed_share",
)  # fmt: skip
GROUP_MEASURES = (
    "average_precision", "mse_ratio", "direction", "editable_share", "change_outside", "structure",
    "pathology_auroc", "flip_rate", "score_follows", "ssim_inside", "collateral_flips",
    "follows", "change", "monotone", "flips", "others", "collateral",
)  # fmt: skip
MOST_COLUMNS, MOST_PANELS = 11, 6


@dataclass(frozen=True)
class View:
    """A record and how it is shown.

    The record's `about` may hold "measures" (key to the fields of `Measure`), "shown" (keys of the measures in
    summaries), and "ours", "references" and "compared" (names of rows). A measure that it does not describe is
    shown under its key.
    """

    results: Results

    @property
    def about(self) -> Mapping[str, Any]:
        """Description of the run, see `Results.about`."""
        return self.results.about

    def measures(self) -> list[Measure]:
        """Return the measures that any row has a value of, described ones first in their order."""
        described = self.about.get("measures", {})
        used = [key for row in self.results.rows for key, metric in row.metrics.items() if metric.value is not None]
        order = [*(key for key in described if key in used), *(key for key in used if key not in described)]
        return [_measure(key, described.get(key)) for key in dict.fromkeys(order)]

    def undefined(self) -> dict[str, str]:
        """Return the titles of measures that no row has a value of, with the reasons."""
        used = {measure.key for measure in self.measures()}
        described = self.about.get("measures", {})
        notes = {key: metric.note for key, metric in self.ours().metrics.items() if key not in used and metric.note}
        return {_measure(key, described.get(key)).title: note for key, note in notes.items()}

    def groups(self) -> dict[str, list[Measure]]:
        """Return `measures` by group."""
        groups: dict[str, list[Measure]] = {}
        for measure in self.measures():
            groups.setdefault(measure.group, []).append(measure)
        return groups

    def chosen_measures(self, keys: Sequence[str], most: int) -> list[Measure]:
        """Return the measures of a list of keys that the record has, or else its first ones; at most `most`.

        A record can have a list of its own ("shown").
        """
        measures = self.measures()
        chosen = [measure for key in self.about.get("shown", keys) for measure in measures if measure.key == key]
        return (chosen or measures)[:most]

    def role(self, row: str) -> str:
        """Return the role of a row: OURS, PEER, or REFERENCE if no model made it."""
        if row in self.about.get("references", (UNEDITED, TARGET)):
            return REFERENCE
        return OURS if row == self.about.get("ours", EDITED) else PEER

    def ours(self) -> ResultRow:
        """Return the row that the report is about: ours, else the first peer, else the first row."""
        rows = self.results.rows
        for role in (OURS, PEER):
            for row in rows:
                if self.role(row.name) == role:
                    return row
        return rows[0]

    def compared_rows(self) -> list[ResultRow]:
        """Return the few rows that are compared group by group.

        They are those that the record names ("compared"), else ours, editing everywhere and published RSE, else the
        first three that a model made.
        """
        names = self.about.get("compared", (self.ours().name, self.about.get("unrestricted"), "published RSE"))
        named = [row for row in self.results.rows if row.name in names]
        made = [row for row in self.results.rows if self.role(row.name) != REFERENCE]
        few = named if len(named) > 1 else made[:3]
        return [row for row in few if row.per_finding or row.per_operation]

    def best_rows(self, measure: Measure) -> set[str]:
        """Return the rows with the best value, as shown, among those that a model made.

        Empty if no direction is better, or if only one row has a value.
        """
        values = {}
        for row in self.results.rows:
            metric = row.metrics.get(measure.key)
            if self.role(row.name) != REFERENCE and metric is not None and metric.value is not None:
                values[row.name] = metric.value
        if len(values) < 2 or measure.better not in (HIGHER, LOWER):
            return set()
        best = measure.text((max if measure.better == HIGHER else min)(values.values()))
        return {name for name, value in values.items() if measure.text(value) == best}


def _measure(key: str, fields: Mapping[str, Any] | None) -> Measure:
    if fields is not None:
        return Measure(**{"key": key, "group": OTHER_GROUP, "better": "", "meaning": "", **fields})
    if key in METRICS or key.startswith((ATTRIBUTE_PREFIX, DICE_PREFIX)):
        return info(key)
    return Measure(key, key.replace("_", " ").capitalize(), OTHER_GROUP, "", "")


def value_text(measure: Measure, metric: Metric | None) -> str:
    """Return a value as it is shown."""
    return UNDEFINED if metric is None or metric.value is None else measure.text(metric.value)


def interval_text(measure: Measure, metric: Metric | None) -> str:
    """Return an interval as it is shown; empty if there is none."""
    if metric is None or metric.low is None or metric.high is None:
        return ""
    return f"{measure.text(metric.low)} to {measure.text(metric.high)}"


def span(metrics: Sequence[Metric | None], share: bool = False) -> tuple[float, float] | None:
    """Return the range that a plot of metrics covers; ``None`` if all are undefined.

    Args:
        metrics: to plot.
        share: of shares, which are plotted from 0 to 1 if all are equal.
    """
    bounds = [
        bound
        for metric in metrics
        if metric is not None
        for bound in (metric.value, metric.low, metric.high)
        if bound is not None
    ]
    if not bounds:
        return None
    low, high = min(bounds), max(bounds)
    if share and 0 <= low == high <= 1:
        return 0.0, 1.0
    return (low, high) if high > low else (low - 0.5 * abs(low) - 0.5, high + 0.5 * abs(high) + 0.5)
