"""Figures of an ablation, for print: a dot plot of all measures with their intervals, and a gallery of edits."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra
from x2x_core.evaluation.benchmark.ablation import AblationReport, PairEdits
from x2x_core.evaluation.benchmark.ablation_measures import GROUPS, HIGHER, MEASURES, RIGHT, Measure
from x2x_core.evaluation.benchmark.ablation_rows import OURS
from x2x_core.evaluation.metrics.bootstrap import LEVEL
from x2x_core.imaging.overlay import mask_contour
from x2x_core.imaging.panel import FOOTER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200
INK, GREY, PALE = "#1c1c1e", "#6e6e74", "#e3e3e6"
OURS_COLOUR, OTHER_COLOUR = "#b3122a", "#2b6cb0"
RANKING = "mse_ratio"  # by which the gallery's pairs are best, median and worst
RANKS = ("Best", "Median", "Worst")


def check_drawing() -> None:
    """See that figures can be drawn, before a long run.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with needs_extra("Drawing figures", "matplotlib", "report"):
        import matplotlib.figure  # noqa: F401


def draw_ablation(report: AblationReport) -> Figure:
    """One panel for each measure: a dot for each row of the ablation, with its interval.

    A line of panels for each group of measures; ours in red; a dotted line is the unedited image.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    columns = max(sum(one.group == group for one in MEASURES) for group in GROUPS)
    names = list(report.scores)
    figure = _new_figure(3.1 + 2.45 * columns, 1.0 + len(GROUPS) * (0.95 + 0.21 * len(names)))
    panels = figure.subplots(len(GROUPS), columns, squeeze=False)
    estimates, reference = report.estimates(), report.reference()
    for line, group in zip(panels, GROUPS):
        measures = [one for one in MEASURES if one.group == group]
        line[0].set_title(group, loc="left", fontsize=11, fontweight="bold", color=INK, pad=32)
        for place, axes in enumerate(line):
            if place >= len(measures):
                axes.axis("off")
                continue
            found = {name: estimates[name][measures[place].key] for name in names}
            _draw_measure(axes, measures[place], found, reference.get(measures[place].key))
            axes.set_yticks(range(len(names)), names if place == 0 else [""] * len(names))
    heading = f"{len(report.instructions)} simulated pairs; dots: means (error ratio: medians); bars: "
    figure.suptitle(f"{heading}{LEVEL:.0%} bootstrap intervals over pairs", fontsize=10, color=GREY)
    _write_notes(panels, report)
    return figure


def _draw_measure(axes: Axes, measure: Measure, found: dict[str, Any], reference: Any) -> None:
    scale = measure.scale
    if reference is not None and reference.value is not None:
        axes.axvline(scale * reference.value, color=GREY, linestyle=":", linewidth=1.1, zorder=1)
    for place, (name, one) in enumerate(found.items()):
        colour = OURS_COLOUR if name == OURS else OTHER_COLOUR
        if one.value is None:
            continue
        axes.plot([scale * one.low, scale * one.high], [place, place], color=colour, linewidth=1.8, alpha=0.55)
        axes.plot(scale * one.value, place, "o", color=colour, markersize=5.5)
    arrow = "higher is better →" if measure.better == HIGHER else "← lower is better"
    axes.annotate(measure.heading, (0, 1), (0, 14), "axes fraction", "offset points", fontsize=9, color=INK)
    axes.annotate(arrow, (0, 1), (0, 4), "axes fraction", "offset points", fontsize=7, color=GREY)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.margins(x=0.08)
    if measure.group == RIGHT:  # shares of pairs: on one scale
        axes.set_xlim(-4, 104)
    axes.grid(axis="x", color=PALE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)


def _write_notes(panels: Any, report: AblationReport) -> None:
    """The rows' notes in the free places at the right, from the second line on."""
    lines = [textwrap.fill(note, 46) for note in report.notes()]
    lines.append(textwrap.fill("Dotted line: the unedited image. " + FOOTER, 46))
    place = panels[1][-1]
    text = place.text(0, 1, "\n\n".join(lines), transform=place.transAxes, fontsize=7, color=GREY, va="top")
    text.set_in_layout(False)


def draw_gallery(report: AblationReport) -> Figure:
    """The best, the median and the worst pair of ours: before, truth, and each row's edit with its mask's outline.

    Without a row of ours, the first row ranks the pairs.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: the report kept no pictures.
    """
    if not report.pictures:
        raise InputError("`report` must hold pictures: run the ablation with `keep_pictures=True`.")
    ranker = OURS if OURS in report.scores else report.rows[0].name
    chosen = choose_pairs(report.values(ranker, RANKING))
    names = list(report.scores)
    columns = len(names) + 2
    figure = _new_figure(1.9 * columns + 0.3, len(chosen) * 2.75 + 0.4)
    lines = figure.subfigures(len(chosen), 1, squeeze=False)[:, 0]
    for (rank, number), line in zip(chosen.items(), lines):
        _draw_pair(line.subplots(1, columns), report, number, names)
        ratio = report.values(ranker, RANKING)[number]
        title = f"{rank} of {ranker} (error ratio {ratio:.2f}): {report.instructions[number]}"
        line.suptitle(title, x=0.005, ha="left", fontsize=10, fontweight="bold", color=INK)
    figure.supxlabel(f"Outline: where the image may change. {FOOTER}", fontsize=8, color=GREY)
    return figure


def choose_pairs(ratios: list[float | None]) -> dict[str, int]:
    """The numbers of the best, median and worst pair; fewer where there are fewer pairs. Lowest is best.

    Raises:
        InputError: no pair has a value.
    """
    ranked = sorted((value, number) for number, value in enumerate(ratios) if value is not None)
    if not ranked:
        raise InputError("`pairs` must hold one whose truth changes, to be shown; got none.")
    places = dict(zip(RANKS, (0, len(ranked) // 2, len(ranked) - 1)))
    chosen: dict[str, int] = {}
    for rank, place in places.items():
        if ranked[place][1] not in chosen.values():
            chosen[rank] = ranked[place][1]
    return chosen


def _draw_pair(line: Any, report: AblationReport, number: int, names: list[str]) -> None:
    pair: PairEdits = report.pictures[number]
    shown = {"before": pair.before.numpy(), "truth": pair.after.numpy()}
    shown.update({name: mask_contour(_enlarged(pair.edits[name][0]), pair.edits[name][1]) for name in names})
    for axes, (name, picture) in zip(line, shown.items()):
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="lanczos")
        title = name
        if name in names:
            ratio = report.values(name, RANKING)[number]
            title = f"{textwrap.fill(name, 16)}\nerror ratio " + ("-" if ratio is None else f"{ratio:.2f}")
        axes.set_title(title, fontsize=8, color=OURS_COLOUR if name == OURS else INK, pad=3)
        axes.axis("off")


def _enlarged(picture: torch.Tensor) -> Image.Image:
    """Twice the size, so that outlines are fine."""
    image = Image.fromarray(picture.numpy())
    return image.resize((2 * image.width, 2 * image.height), Image.Resampling.LANCZOS)


def _new_figure(width: float, height: float) -> Figure:
    check_drawing()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")


def as_picture(figure: Figure) -> Image.Image:
    """A figure as a Pillow picture, RGB, at `DOTS_PER_INCH`."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file).convert("RGB")
