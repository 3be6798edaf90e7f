"""A record as a table of text, for a terminal."""

from __future__ import annotations

from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.results import ResultRow

from .view import MOST_COLUMNS, SUMMARY_MEASURES, View, interval_text, value_text

Lines = list[tuple[str, ...]]


def text_table(view: View) -> Lines:
    """Return a heading, then for each group of measures a line with its name alone and a line for each measure."""
    rows = view.results.rows
    lines: Lines = [("", *(row.name for row in rows))]
    for group, measures in view.groups().items():
        lines.append((group, *[""] * len(rows)))
        for measure in measures:
            values = [value_text(measure, row.metrics.get(measure.key)) for row in rows]
            lines.append((f"{measure.heading} {measure.arrow}".strip(), *values))
    return lines


def finding_table(view: View, row: ResultRow) -> Lines:
    """Return a heading with the name of a row and the measures of the record's summary, then a line for each finding.

    The last line is over all pairs. Cells are values with their intervals.
    """
    measures = [measure for measure in view.chosen_measures(SUMMARY_MEASURES, MOST_COLUMNS) if _has(row, measure)]
    lines: Lines = [(row.name, *(f"{measure.heading} {measure.arrow}".strip() for measure in measures))]
    for name, metrics in {**row.per_finding, "all": row.metrics}.items():
        texts = [
            (value_text(measure, metrics.get(measure.key)), interval_text(measure, metrics.get(measure.key)))
            for measure in measures
        ]
        lines.append((name, *(f"{value} ({interval})" if interval else value for value, interval in texts)))
    return lines


def _has(row: ResultRow, measure: Measure) -> bool:
    metric = row.metrics.get(measure.key)
    return metric is not None and metric.value is not None


def row_notes(view: View) -> list[str]:
    """Return what readers of the table must know: the number of pairs, the settings, and what each row is."""
    pairs = f"{len(view.results.cases)} pairs, the same pairs and seeds for all rows."
    notes = view.about.get("row_notes", {})
    return [f"{pairs} {view.about.get('note', '')}".strip(), *(f"{name}: {note}." for name, note in notes.items())]
