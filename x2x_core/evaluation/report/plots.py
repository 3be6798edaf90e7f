"""Forest plots in plain HTML, which fit a phone as well as paper: a dot and its interval to a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from x2x_core.evaluation.benchmark.ablation_measures import Measure
from x2x_core.evaluation.results import Metric, ResultRow

from .view import OURS, PEER, REFERENCE, View, arrow, interval_text, span, text

HOLLOW = "hollow"
EDGE = 2.5  # per cent of a track that is free on both sides


@dataclass(frozen=True)
class Mark:
    """A dot on a line: whose it is, as a class of the style sheet, and its value."""

    style: str
    metric: Metric | None
    title: str


def forest(view: View, measure: Measure) -> str:
    """One measure of all rows, a line for each."""
    found = {row.name: row.metrics.get(measure.key) for row in view.results.rows}
    ends = span(list(found.values()))
    lines = [
        _line(name, [Mark(view.role(name), metric, name)], measure, ends, view.role(name))
        for name, metric in found.items()
        if metric is not None and metric.value is not None
    ]
    return _panel(measure, lines, ends)


def by_group(view: View, measure: Measure, kind: str, rows: Sequence[ResultRow]) -> str:
    """One measure of several rows, a line for each finding or operation; the number is the first row's.

    Args:
        view: the record.
        measure: which.
        kind: "per_finding" or "per_operation".
        rows: what is compared; the first is written out.
    """
    groups: list[Mapping[str, Mapping[str, Metric]]] = [getattr(row, kind) for row in rows]
    names = list(dict.fromkeys(name for one in groups for name in one))
    all_metrics = [one.get(name, {}).get(measure.key) for one in groups for name in names]
    ends = span(all_metrics)
    styles = mark_styles(view, rows)
    lines = []
    for name in names:
        marks = [Mark(styles[row.name], one.get(name, {}).get(measure.key), row.name) for row, one in zip(rows, groups)]
        lines.append(_line(name, marks[::-1], measure, ends, ""))
    return _panel(measure, lines, ends)


def mark_styles(view: View, rows: Sequence[ResultRow]) -> dict[str, str]:
    """A style for each row that tells it from the others: ours, a peer, and one drawn hollow."""
    styles, taken = {}, set()
    for row in rows:
        wanted = [OURS] if view.role(row.name) == OURS else [HOLLOW, PEER, REFERENCE, OURS]
        styles[row.name] = next((one for one in wanted if one not in taken), wanted[0])
        taken.add(styles[row.name])
    return styles


def key(view: View, rows: Sequence[ResultRow]) -> str:
    """The legend of `by_group`."""
    styles = mark_styles(view, rows)
    marks = "".join(f'<span><i class="{styles[row.name]}"></i>{escape(row.name)}</span>' for row in rows)
    return f'<p class="small key">{marks}</p>'


def _panel(measure: Measure, lines: Sequence[str], ends: tuple[float, float] | None) -> str:
    if ends is None or not lines:
        return ""
    axis = "".join(f"<span>{measure.text(end)}</span>" for end in ends)
    heading = f"{escape(measure.heading)} {arrow(measure)}"
    return (
        f'<div class="panel forest"><h3>{heading}</h3><p class="small">{escape(measure.meaning)}</p>{"".join(lines)}'
        f'<div class="axis">{axis}</div></div>'
    )


def _line(name: str, marks: Sequence[Mark], measure: Measure, ends: tuple[float, float], role: str) -> str:
    drawn = "".join(_mark(mark, measure, ends) for mark in marks)
    shown = marks[-1].metric
    label = f"{text(measure, shown)}" if shown else "–"
    return (
        f'<div class="line {role}"><span class="name" title="{escape(name)}">{escape(name)}</span>'
        f'<span class="track">{drawn}</span><span class="value">{label}</span></div>'
    )


def _mark(mark: Mark, measure: Measure, ends: tuple[float, float] | None) -> str:
    metric = mark.metric
    if metric is None or metric.value is None or ends is None:
        return ""
    low, high = ends
    place = lambda value: EDGE + (100 - 2 * EDGE) * (value - low) / (high - low)  # noqa: E731
    title = escape(f"{mark.title}: {text(measure, metric)} {interval_text(measure, metric)}".strip())
    bar = ""
    if metric.low is not None and metric.high is not None:
        left, width = place(metric.low), place(metric.high) - place(metric.low)
        bar = f'<i class="bar {mark.style if mark.style != HOLLOW else ""}" style="left:{left:.2f}%;width:{width:.2f}%"></i>'
    return f'{bar}<i class="dot {mark.style}" style="left:{place(metric.value):.2f}%" title="{title}"></i>'
