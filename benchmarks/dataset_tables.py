"""Write the tables of `docs/metrics.md` from the record of an evaluation on a dataset.

    python benchmarks/dataset_tables.py runs/evaluation-heldout/evaluation.json docs/metrics.md

The text between the page's marks `<!-- demo -->` and `<!-- /demo -->` is replaced.
"""

from __future__ import annotations

import sys
from pathlib import Path

from x2x_core.evaluation.metrics.catalogue import DICE_PREFIX, METRICS
from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.report.view import View, interval_text, value_text
from x2x_core.evaluation.results import Metrics, Results

START, END = "<!-- demo -->", "<!-- /demo -->"
BY_GROUP = ("pathology_auroc", "flip_rate", "score_follows", "ssim_inside", "lung_dice")


def tables(view: View) -> list[str]:
    """Return every metric of every row, then a few of the edited row by finding and by operation."""
    measures = {one.key: one for one in view.measures() if one.key in METRICS or one.key.startswith(DICE_PREFIX)}
    lines = _head("", *(row.name for row in view.results.rows))
    lines += [_line(one.heading, *(_cell(one, row.metrics) for row in view.results.rows)) for one in measures.values()]
    keys = [key for key in BY_GROUP if key in measures]
    for title, groups in (("Finding", view.ours().per_finding), ("Operation", view.ours().per_operation)):
        lines += ["", *_head(f"{title}, {view.ours().name}", *(measures[key].heading for key in keys))]
        lines += [_line(name, *(_cell(measures[key], metrics) for key in keys)) for name, metrics in groups.items()]
    return lines


def fill(page: str, view: View) -> str:
    """Return a page with the text between its marks replaced.

    Raises:
        ValueError: the page lacks a mark.
    """
    if page.count(START) != 1 or page.count(END) != 1:
        raise ValueError(f"The page must hold the marks {START} and {END} once each.")
    before, rest = page.split(START)
    return "\n".join([before + START, "", *tables(view), "", END + rest.split(END)[1]])


def _head(*cells: str) -> list[str]:
    return [_line(*cells), "|---" * len(cells) + "|"]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(measure: Measure, metrics: Metrics) -> str:
    metric = metrics.get(measure.key)
    value, interval = value_text(measure, metric), interval_text(measure, metric)
    return value if not interval or set(interval.split(" to ")) == {value} else f"{value} ({interval})"


def main() -> None:
    """Fill the page (second argument) from the record (first argument)."""
    record, page = map(Path, sys.argv[1:3])
    page.write_text(fill(page.read_text(encoding="utf-8"), View(Results.read_json(record))), encoding="utf-8")


if __name__ == "__main__":
    main()
