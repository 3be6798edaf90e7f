"""Figures of a record for print: forest plots of all measures, and bars for each finding, as PNG and SVG."""

from __future__ import annotations

import io
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from x2x_core.evaluation.benchmark.ablation_measures import Measure
from x2x_core.imaging.panel import FOOTER
from x2x_core.imaging.provenance import synthetic_metadata

from .comparison_figures import DOTS_PER_INCH, check_drawing
from .page import GROUP_MEASURES, MOST_PANELS, chosen_measures
from .style import GREY, INK, OURS_COLOUR, PALE, PEER_COLOUR, REFERENCE_COLOUR
from .view import OURS, PEER, REFERENCE, View, arrow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4  # panels beside each other
COLOURS = {OURS: OURS_COLOUR, PEER: PEER_COLOUR, REFERENCE: REFERENCE_COLOUR}
LETTERS_AN_INCH = 15  # of the small print
BAR_COLOURS = (OURS_COLOUR, PEER_COLOUR, "#b9c7d6")  # the first, second and third row of the findings' bars


def draw_forest(view: View) -> Figure:
    """A panel for each measure, a dot and its interval for each row.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    measures, names = view.measures(), [row.name for row in view.results.rows]
    lines = -(-len(measures) // COLUMNS)
    figure = _figure(3.0 + 2.5 * COLUMNS, 0.7 + lines * (0.75 + 0.2 * len(names)))
    panels = figure.subplots(lines, COLUMNS, squeeze=False)
    for place, axes in enumerate(panels.flat):
        if place >= len(measures):
            axes.axis("off")
            continue
        _forest_panel(axes, view, measures[place])
        axes.set_yticks(range(len(names)), names if place % COLUMNS == 0 else [""] * len(names))
    _print_small(figure, view)
    return figure


def _forest_panel(axes: Axes, view: View, measure: Measure) -> None:
    for place, row in enumerate(view.results.rows):
        one = row.metrics.get(measure.key)
        if one is None or one.value is None:
            continue
        colour = COLOURS[view.role(row.name)]
        if one.low is not None and one.high is not None:
            ends = [measure.scale * end for end in (one.low, one.high)]
            axes.plot(ends, [place, place], color=colour, linewidth=1.7, alpha=0.55)
        axes.plot(measure.scale * one.value, place, "o", color=colour, markersize=5)
    axes.set_ylim(len(view.results.rows) - 0.5, -0.5)
    axes.set_title(f"{measure.heading} {arrow(measure)}", fontsize=9, loc="left", color=INK)
    _calm(axes, "x")


def draw_findings(view: View) -> Figure | None:
    """Bars for each finding, of the rows that are compared; ``None`` where the record has no findings.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    rows = sorted(
        (row for row in view.shown_by_group() if row.per_finding), key=lambda row: row.name != view.ours().name
    )
    if not rows:
        return None
    measures = chosen_measures(view, GROUP_MEASURES, MOST_PANELS)
    findings = list(rows[0].per_finding)
    figure = _figure(1.6 + 0.95 * len(findings), 0.7 + 1.9 * len(measures))
    panels = figure.subplots(len(measures), 1, squeeze=False)[:, 0]
    for axes, measure in zip(panels, measures):
        _bars(axes, view, measure, rows, findings)
        axes.set_xticks(range(len(findings)), findings if axes is panels[-1] else [""] * len(findings), fontsize=8)
    panels[0].legend(frameon=False, fontsize=8, ncols=len(rows), loc="lower right", bbox_to_anchor=(1, 1))
    _print_small(figure, view)
    return figure


def _bars(axes: Axes, view: View, measure: Measure, rows, findings) -> None:
    width = 0.8 / len(rows)
    for number, (row, colour) in enumerate(zip(rows, BAR_COLOURS)):
        found = [row.per_finding.get(name, {}).get(measure.key) for name in findings]
        for place, one in enumerate(found):
            if one is None or one.value is None:
                continue
            x = place - 0.4 + (number + 0.5) * width
            label = row.name if place == next(n for n, m in enumerate(found) if m and m.value is not None) else None
            axes.bar(x, measure.scale * one.value, 0.92 * width, color=colour, label=label)
            if one.low is not None and one.high is not None:
                axes.plot([x, x], [measure.scale * one.low, measure.scale * one.high], color=INK, linewidth=0.8)
    axes.set_title(f"{measure.heading} {arrow(measure)}", fontsize=9, loc="left", color=INK)
    axes.set_xlim(-0.6, len(findings) - 0.4)
    _calm(axes, "y")


def _calm(axes: Axes, axis: str) -> None:
    axes.grid(axis=axis, color=PALE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)


def _print_small(figure: Figure, view: View) -> None:
    """The small print under a figure, in as many lines as its breadth asks for."""
    said = textwrap.fill(_small_print(view), int(LETTERS_AN_INCH * figure.get_figwidth()))
    figure.supxlabel(said, fontsize=7, color=GREY)


def _small_print(view: View) -> str:
    return f"{view.about.get('title', 'Evaluation')}. Bars: {view.about.get('intervals', '95 % intervals')}. {FOOTER}"


def _figure(width: float, height: float) -> Figure:
    check_drawing()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")


def save_figure(figure: Figure, path: Path, parameters: dict) -> list[Path]:
    """Write a figure as PNG and SVG (`path` without its ending), both saying that they are synthetic."""
    from matplotlib import rc_context
    from PIL.PngImagePlugin import PngInfo

    notice = synthetic_metadata(parameters)
    chunks = PngInfo()
    for name, words in notice.items():
        chunks.add_itxt(name, words)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    Image.open(file).convert("RGB").save(path.with_suffix(".png"), pnginfo=chunks, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    with rc_context({"svg.hashsalt": "x2x"}):  # the same figure gives the same bytes
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None, "Description": json.dumps(notice)})
    return [path.with_suffix(".png"), path.with_suffix(".svg")]
