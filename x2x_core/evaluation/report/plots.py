"""Forest plots as data for the templates: a line for each row, with a dot and its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.results import Metric, ResultRow

from .view import OURS, PEER, REFERENCE, UNDEFINED, View, interval_text, span, value_text

HOLLOW = "hollow"
EDGE = 2.5  # per cent of a track that is free on both sides


@dataclass(frozen=True)
class Bar:
    """Interval on a track, in per cent of its width."""

    style: str
    left: float
    width: float


@dataclass(frozen=True)
class Dot:
    """Value on a track: class of the style sheet, position in per cent, text on hovering, and interval."""

    style: str
    left: float
    title: str
    bar: Bar | None


@dataclass(frozen=True)
class Line:
    """One line of a panel."""

    name: str
    role: str
    dots: tuple[Dot, ...]
    value: str


@dataclass(frozen=True)
class Panel:
    """Plot of one measure."""

    measure: Measure
    lines: tuple[Line, ...]
    axis: tuple[str, str]


@dataclass(frozen=True)
class LegendEntry:
    """Style of a row's dots."""

    style: str
    name: str


def forest(view: View, measure: Measure) -> Panel | None:
    """Plot one measure of all rows; ``None`` if none has a value."""
    metrics = {row.name: row.metrics.get(measure.key) for row in view.results.rows}
    track = _Track.covering(measure, list(metrics.values()))
    if track is None:
        return None
    lines = []
    for name, metric in metrics.items():
        if metric is not None and metric.value is not None:
            role = view.role(name)
            lines.append(Line(name, role, track.dots([(role, metric, name)]), value_text(measure, metric)))
    return Panel(measure, tuple(lines), track.axis())


def plot_groups(view: View, measure: Measure, kind: str, rows: Sequence[ResultRow]) -> Panel | None:
    """Plot one measure of several rows, a line for each finding or operation; ``None`` if nothing has a value.

    Args:
        view: the record.
        measure: measure to plot.
        kind: "per_finding" or "per_operation".
        rows: rows to compare; the values of the first are written out.
    """
    groups: list[Mapping[str, Mapping[str, Metric]]] = [getattr(row, kind) for row in rows]
    names = list(dict.fromkeys(name for of_row in groups for name in of_row))
    metrics = {name: [of_row.get(name, {}).get(measure.key) for of_row in groups] for name in names}
    track = _Track.covering(measure, [metric for of_name in metrics.values() for metric in of_name])
    if track is None:
        return None
    styles = mark_styles(view, rows)
    lines = []
    for name, of_name in metrics.items():
        marks = [(styles[row.name], metric, row.name) for row, metric in zip(rows, of_name)]
        value = value_text(measure, of_name[0]) if of_name[0] else UNDEFINED
        lines.append(Line(name, "", track.dots(marks[::-1]), value))  # the first row's dot on top
    return Panel(measure, tuple(lines), track.axis())


def mark_styles(view: View, rows: Sequence[ResultRow]) -> dict[str, str]:
    """Return a different style for each row: ours, hollow, peer, reference."""
    styles: dict[str, str] = {}
    for row in rows:
        candidates = [OURS] if view.role(row.name) == OURS else [HOLLOW, PEER, REFERENCE, OURS]
        unused = [style for style in candidates if style not in styles.values()]
        styles[row.name] = (unused or candidates)[0]
    return styles


def legend(view: View, rows: Sequence[ResultRow]) -> list[LegendEntry]:
    """Return the legend of `plot_groups`."""
    return [LegendEntry(style, name) for name, style in mark_styles(view, rows).items()]


@dataclass(frozen=True)
class _Track:
    """Scale of a panel's lines."""

    measure: Measure
    low: float
    high: float

    @classmethod
    def covering(cls, measure: Measure, metrics: Sequence[Metric | None]) -> _Track | None:
        ends = span(metrics, measure.percent)
        return None if ends is None else cls(measure, *ends)

    def axis(self) -> tuple[str, str]:
        return self.measure.text(self.low), self.measure.text(self.high)

    def dots(self, marks: Sequence[tuple[str, Metric | None, str]]) -> tuple[Dot, ...]:
        """Return the dots of (style, metric, name of the row)."""
        return tuple(
            self._dot(style, metric, metric.value, name)
            for style, metric, name in marks
            if metric is not None and metric.value is not None
        )

    def _dot(self, style: str, metric: Metric, value: float, name: str) -> Dot:
        title = f"{name}: {value_text(self.measure, metric)} {interval_text(self.measure, metric)}".strip()
        bar = None
        if metric.low is not None and metric.high is not None:
            left, right = self._position(metric.low), self._position(metric.high)
            bar = Bar("" if style == HOLLOW else style, left, right - left)
        return Dot(style, self._position(value), title, bar)

    def _position(self, value: float) -> float:
        return EDGE + (100 - 2 * EDGE) * (value - self.low) / (self.high - self.low)
