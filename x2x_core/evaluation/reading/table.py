"""The table of a graded reading: counts with intervals, a line for each finding."""

from __future__ import annotations

from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.report.view import View, interval_text
from x2x_core.evaluation.results import Metric, ResultRow

Lines = list[tuple[str, ...]]


def reading_tables(view: View) -> list[Lines]:
    """Return a table for each row of a graded reading: a heading, a line for each finding, and one for all.

    Cells are "hits/pictures (low to high)", the interval in percent.
    """
    return [_table(view, row) for row in view.results.rows]


def _table(view: View, row: ResultRow) -> Lines:
    measures = [measure for measure in view.measures() if row.metrics.get(measure.key, Metric(None)).n]
    lines: Lines = [(row.name, *(measure.title for measure in measures))]
    for name, metrics in {**row.per_finding, "all": row.metrics}.items():
        lines.append((name, *(_cell(measure, metrics.get(measure.key)) for measure in measures)))
    return lines


def _cell(measure: Measure, metric: Metric | None) -> str:
    if metric is None or metric.value is None:
        return "–"
    return f"{round(metric.value * metric.n)}/{metric.n} ({interval_text(measure, metric)} %)"
