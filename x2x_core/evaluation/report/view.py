"""What a report shows of a record: measures with their titles and ways, rows with their roles, numbers as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from x2x_core.evaluation.benchmark.ablation_measures import HIGHER, LOWER, Measure
from x2x_core.evaluation.metrics.catalogue import ATTRIBUTE_PREFIX, DICE_PREFIX, METRICS, info
from x2x_core.evaluation.results import EDITED, TARGET, UNEDITED, Metric, ResultRow, Results

OURS, PEER, REFERENCE = "ours", "peer", "reference"  # roles of rows
OTHER_GROUP = "Measures"
UNDEFINED = "–"


@dataclass(frozen=True)
class View:
    """A record and what is needed to show it.

    Its `about` may hold "measures" (key to the fields of `Measure`), "ours" and "references" (names of rows); a measure
    that it does not describe is shown under its key.
    """

    results: Results

    @property
    def about(self) -> Mapping[str, Any]:
        """See `Results.about`."""
        return self.results.about

    def measures(self) -> list[Measure]:
        """The measures that any row has a value of, those described first and in their order."""
        described = self.about.get("measures", {})
        used = [key for row in self.results.rows for key, metric in row.metrics.items() if metric.value is not None]
        order = [*(key for key in described if key in used), *(key for key in used if key not in described)]
        return [_measure(key, described.get(key)) for key in dict.fromkeys(order)]

    def undefined(self) -> dict[str, str]:
        """The titles of what no row has a value of, and why."""
        used = {one.key for one in self.measures()}
        notes = {key: metric.note for key, metric in self.ours().metrics.items() if key not in used and metric.note}
        return {_measure(key, self.about.get("measures", {}).get(key)).title: note for key, note in notes.items()}

    def groups(self) -> dict[str, list[Measure]]:
        """Those measures by their group."""
        found: dict[str, list[Measure]] = {}
        for measure in self.measures():
            found.setdefault(measure.group, []).append(measure)
        return found

    def role(self, row: str) -> str:
        """Whether a row is ours, a peer, or a reference that no model made."""
        if row in self.about.get("references", (UNEDITED, TARGET)):
            return REFERENCE
        return OURS if row == self.about.get("ours", EDITED) else PEER

    def ours(self) -> ResultRow:
        """The row that the report is about: ours, else the first that is no reference, else the first."""
        rows = self.results.rows
        for role in (OURS, PEER):
            for row in rows:
                if self.role(row.name) == role:
                    return row
        return rows[0]

    def shown_by_group(self) -> list[ResultRow]:
        """The few rows that are compared finding by finding: those that the record says ("compared"), else ours, editing
        everywhere and published RSE, or all.
        """
        wanted = self.about.get("compared", (self.ours().name, self.about.get("unrestricted"), "published RSE"))
        found = [row for row in self.results.rows if row.name in wanted]
        few = found if len(found) > 1 else [row for row in self.results.rows if self.role(row.name) != REFERENCE][:3]
        return [row for row in few if row.per_finding or row.per_operation]


def _measure(key: str, fields: Mapping[str, Any] | None) -> Measure:
    if fields is None and (key in METRICS or key.startswith((ATTRIBUTE_PREFIX, DICE_PREFIX))):
        fields = asdict(info(key))
    if fields is None:
        return Measure(key, key.replace("_", " ").capitalize(), OTHER_GROUP, "", "")
    return Measure(**{"key": key, "group": OTHER_GROUP, "better": "", "meaning": "", **fields})


def text(measure: Measure, metric: Metric | None) -> str:
    """A value as it is shown."""
    return UNDEFINED if metric is None or metric.value is None else measure.text(metric.value)


def interval_text(measure: Measure, metric: Metric | None) -> str:
    """An interval as it is shown; empty where there is none."""
    if metric is None or metric.low is None or metric.high is None:
        return ""
    return f"{measure.text(metric.low)} to {measure.text(metric.high)}"


def arrow(measure: Measure) -> str:
    """Which way is better."""
    return {HIGHER: "↑", LOWER: "↓"}.get(measure.better, "")


def span(metrics: list[Metric | None]) -> tuple[float, float] | None:
    """The range that a plot of metrics covers; ``None`` where all are undefined."""
    ends = [end for one in metrics if one is not None for end in (one.value, one.low, one.high) if end is not None]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    return (low, high) if high > low else (low - 0.5 * abs(low) - 0.5, high + 0.5 * abs(high) + 0.5)


def best_rows(view: View, measure: Measure) -> set[str]:
    """The rows with the best value, as it is shown, among those that a model made; none where no way is better or there
    is but one row.
    """
    found = {
        row.name: row.metrics[measure.key].value
        for row in view.results.rows
        if view.role(row.name) != REFERENCE
        and measure.key in row.metrics
        and row.metrics[measure.key].value is not None
    }
    if len(found) < 2 or measure.better not in (HIGHER, LOWER):
        return set()
    best = measure.text((max if measure.better == HIGHER else min)(found.values()))
    return {name for name, value in found.items() if measure.text(value) == best}
