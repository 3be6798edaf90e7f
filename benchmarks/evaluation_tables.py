"""Write the tables of `docs/evaluation.md` from the record of a benchmark.

    python benchmarks/evaluation_tables.py models/demo/benchmark.json.gz docs/evaluation.md

The text between each pair of marks, `<!-- NAME -->` and `<!-- /NAME -->`, is replaced. NAME is one of `TABLES`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.recorded import read_record
from x2x_core.evaluation.report.view import MOST_COLUMNS, SUMMARY_MEASURES, View, interval_text, value_text
from x2x_core.evaluation.results import Metric


def rows_table(view: View) -> list[str]:
    """Return a line for each key measure, with a column for each row."""
    rows = view.results.rows
    lines = _head(["", *(row.name for row in rows)])
    for measure in view.chosen_measures(SUMMARY_MEASURES, MOST_COLUMNS):
        cells = [value_text(measure, row.metrics.get(measure.key)) for row in rows]
        lines.append(_line([_title(measure), *cells]))
    return [*lines, "", f"{view.about['peers_note']} {view.about['note']} Intervals are in the record and the report."]


def findings_table(view: View) -> list[str]:
    """Return a line for each finding, of ours."""
    keys = ("average_precision", "mse_ratio", "direction", "in_region", "closer", "amount")
    measures = view.chosen_measures(keys, len(keys))
    lines = _head(["Ours", *map(_title, measures)])
    for name, metrics in view.ours().per_finding.items():
        lines.append(_line([name, *(_cell(measure, metrics.get(measure.key)) for measure in measures)]))
    return lines


def attributes_table(view: View) -> list[str]:
    """Return the shift of each attribute's reading from the real target's in each row, in standard deviations."""
    table = view.about.get("attributes", {})
    if not table:
        return ["Not read."]
    lines = _head(["Mean shift (largest)", *table])
    for name in next(iter(table.values())):
        cells = [f"{values[name]['shift']:.2f} ({values[name]['worst']:.1f})" for values in table.values()]
        lines.append(_line([name, *cells]))
    return lines


def verdict(view: View) -> list[str]:
    """Return the sentences of the verdict."""
    return [f"- {sentence}" for sentence in view.about["verdict"]["sentences"]]


def cost_table(view: View) -> list[str]:
    """Return the processor seconds of an edit in each row."""
    lines = _head(["Row", "Processor seconds an edit"])
    return [*lines, *(_line([name, f"{seconds:.2f}"]) for name, seconds in view.about["seconds_per_edit"].items())]


TABLES: dict[str, Callable[[View], list[str]]] = {
    "rows": rows_table,
    "findings": findings_table,
    "attributes": attributes_table,
    "verdict": verdict,
    "cost": cost_table,
}


def fill(page: str, view: View) -> str:
    """Return a page with the tables between its marks replaced.

    Raises:
        ValueError: the page lacks a mark.
    """
    for name, make in TABLES.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if page.count(start) != 1 or page.count(end) != 1:
            raise ValueError(f"The page must hold the marks {start} and {end} once each.")
        before, rest = page.split(start)
        page = "\n".join([before + start, "", *make(view), "", end + rest.split(end)[1]])
    return page


def _head(cells: Sequence[str]) -> list[str]:
    return [_line(cells), "|---" * len(cells) + "|"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _title(measure: Measure) -> str:
    return f"{measure.heading} {measure.arrow}".strip()


def _cell(measure: Measure, metric: Metric | None) -> str:
    value, interval = value_text(measure, metric), interval_text(measure, metric)
    return f"{value} ({interval})" if interval else value


def main() -> None:
    """Fill the page (second argument) from the record (first argument)."""
    record, page = map(Path, sys.argv[1:3])
    page.write_text(fill(page.read_text(encoding="utf-8"), View(read_record(record))), encoding="utf-8")


if __name__ == "__main__":
    main()
