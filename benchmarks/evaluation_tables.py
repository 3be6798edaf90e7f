"""Write the tables of `docs/evaluation.md` from the record of a benchmark.

    python benchmarks/evaluation_tables.py models/demo/benchmark.json docs/evaluation.md

The page holds pairs of marks, `<!-- NAME -->` and `<!-- /NAME -->`; what lies between them is replaced. NAME is one of
`TABLES`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from x2x_core.evaluation.report.page import KEY_MEASURES, MOST_COLUMNS, chosen_measures
from x2x_core.evaluation.report.view import View, arrow, interval_text, text
from x2x_core.evaluation.results import Metric, Results


def rows_table(view: View) -> list[str]:
    """A line for each of the chosen measures, a column for each row."""
    rows = view.results.rows
    lines = _head(["", *(row.name for row in rows)])
    for one in chosen_measures(view, KEY_MEASURES, MOST_COLUMNS):
        cells = [text(one, row.metrics.get(one.key)) for row in rows]
        lines.append(_line([f"{one.heading} {arrow(one)}".strip(), *cells]))
    return [*lines, "", f"{view.about['peers_note']} {view.about['note']} Intervals are in the record and the report."]


def findings_table(view: View) -> list[str]:
    """Ours, a line for each finding."""
    measures = chosen_measures(
        view, ("average_precision", "mse_ratio", "direction", "in_region", "closer", "amount"), 6
    )
    lines = _head(["Ours", *(f"{one.heading} {arrow(one)}".strip() for one in measures)])
    for name, metrics in view.ours().per_finding.items():
        lines.append(_line([name, *(_cell(one, metrics.get(one.key)) for one in measures)]))
    return lines


def attributes_table(view: View) -> list[str]:
    """Mean shift of each attribute's reading from the real target's, in standard deviations, in each row."""
    table = view.about.get("attributes", {})
    if not table:
        return ["Not read."]
    lines = _head(["Mean shift (largest)", *table])
    for name in next(iter(table.values())):
        cells = [f"{found[name]['shift']:.2f} ({found[name]['worst']:.1f})" for found in table.values()]
        lines.append(_line([name, *cells]))
    return lines


def verdict(view: View) -> list[str]:
    """The sentences of the verdict."""
    return [f"- {sentence}" for sentence in view.about["verdict"]["sentences"]]


def cost_table(view: View) -> list[str]:
    """Processor seconds to an edit."""
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
    """A page with the tables between its marks replaced.

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


def _cell(measure, metric: Metric | None) -> str:
    interval = interval_text(measure, metric)
    return f"{text(measure, metric)} ({interval})" if interval else text(measure, metric)


def main() -> None:
    """Fill the page that the second argument names from the record that the first one names."""
    record, page = map(Path, sys.argv[1:3])
    page.write_text(fill(page.read_text(encoding="utf-8"), View(Results.read_json(record))), encoding="utf-8")


if __name__ == "__main__":
    main()
