"""Figures of a record for print: forest plots of all measures, and bars for each finding."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.results import ResultRow
from x2x_core.imaging.panel import FOOTER

from .colours import GREY, INK, OURS_COLOUR, PEER_COLOUR, REFERENCE_COLOUR, THIRD_COLOUR
from .drawing import new_figure, style_axes
from .view import GROUP_MEASURES, MOST_PANELS, OURS, PEER, REFERENCE, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4  # panels beside each other
COLOURS = {OURS: OURS_COLOUR, PEER: PEER_COLOUR, REFERENCE: REFERENCE_COLOUR}
CHARACTERS_PER_INCH = 15  # of the small print
LEGEND_CHARACTERS, SIGN = 11, 6  # of the legend to an inch, and those that a sign takes
BAR_COLOURS = (OURS_COLOUR, PEER_COLOUR, THIRD_COLOUR)  # first, second and third row of the findings' bars


def draw_forest(view: View) -> Figure:
    """Draw a panel for each measure with a dot and its interval for each row.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    measures, names = view.measures(), [row.name for row in view.results.rows]
    lines = -(-len(measures) // COLUMNS)
    figure = new_figure(3.0 + 2.5 * COLUMNS, 0.7 + lines * (0.75 + 0.2 * len(names)))
    panels = figure.subplots(lines, COLUMNS, squeeze=False)
    for index, axes in enumerate(panels.flat):
        if index >= len(measures):
            axes.axis("off")
            continue
        _draw_measure(axes, view, measures[index])
        axes.set_yticks(range(len(names)), names if index % COLUMNS == 0 else [""] * len(names))
    _print_small(figure, view)
    return figure


def _draw_measure(axes: Axes, view: View, measure: Measure) -> None:
    for y, row in enumerate(view.results.rows):
        metric = row.metrics.get(measure.key)
        if metric is None or metric.value is None:
            continue
        colour = COLOURS[view.role(row.name)]
        if metric.low is not None and metric.high is not None:
            bounds = [measure.scale * bound for bound in (metric.low, metric.high)]
            axes.plot(bounds, [y, y], color=colour, linewidth=1.7, alpha=0.55)
        axes.plot(measure.scale * metric.value, y, "o", color=colour, markersize=5)
    axes.set_ylim(len(view.results.rows) - 0.5, -0.5)
    _title(axes, measure)
    style_axes(axes, "x")


def draw_findings(view: View) -> Figure | None:
    """Draw bars for each finding, of the rows that are compared; ``None`` if the record has no findings.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    ours = view.ours().name
    rows = sorted((row for row in view.compared_rows() if row.per_finding), key=lambda row: row.name != ours)
    if not rows:
        return None
    measures = view.chosen_measures(GROUP_MEASURES, MOST_PANELS)
    findings = list(rows[0].per_finding)
    legend = sum(len(row.name) + SIGN for row in rows) / LEGEND_CHARACTERS
    figure = new_figure(max(1.6 + 0.95 * len(findings), legend), 0.7 + 1.9 * len(measures))
    panels = figure.subplots(len(measures), 1, squeeze=False)[:, 0]
    for axes, measure in zip(panels, measures):
        _draw_bars(axes, measure, rows, findings)
        axes.set_xticks(range(len(findings)), findings if axes is panels[-1] else [""] * len(findings), fontsize=8)
    panels[0].legend(frameon=False, fontsize=8, ncols=len(rows), loc="lower right", bbox_to_anchor=(1, 1))
    _print_small(figure, view)
    return figure


def _draw_bars(axes: Axes, measure: Measure, rows: Sequence[ResultRow], findings: Sequence[str]) -> None:
    width = 0.8 / len(rows)
    for number, (row, colour) in enumerate(zip(rows, BAR_COLOURS)):
        label: str | None = row.name  # of the row's first bar alone
        for x_finding, finding in enumerate(findings):
            metric = row.per_finding.get(finding, {}).get(measure.key)
            if metric is None or metric.value is None:
                continue
            x = x_finding - 0.4 + (number + 0.5) * width
            axes.bar(x, measure.scale * metric.value, 0.92 * width, color=colour, label=label)
            label = None
            if metric.low is not None and metric.high is not None:
                axes.plot([x, x], [measure.scale * metric.low, measure.scale * metric.high], color=INK, linewidth=0.8)
    _title(axes, measure)
    axes.set_xlim(-0.6, len(findings) - 0.4)
    style_axes(axes, "y")


def _title(axes: Axes, measure: Measure) -> None:
    axes.set_title(f"{measure.heading} {measure.arrow}", fontsize=9, loc="left", color=INK)


def _print_small(figure: Figure, view: View) -> None:
    """Write the small print below a figure, wrapped to its width."""
    title, intervals = view.about.get("title", "Evaluation"), view.about.get("intervals", "95 % intervals")
    text = f"{title}. Bars: {intervals}. {FOOTER}"
    figure.supxlabel(textwrap.fill(text, int(CHARACTERS_PER_INCH * figure.get_figwidth())), fontsize=7, color=GREY)
