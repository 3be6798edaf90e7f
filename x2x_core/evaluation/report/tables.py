"""Tables of the page as data for the templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.results import Metric

from .view import MOST_COLUMNS, SUMMARY_MEASURES, UNDEFINED, View, interval_text, value_text

_UP, _DOWN = "179,18,42", "43,92,138"  # red, green and blue of cells that are shaded


@dataclass(frozen=True)
class Cell:
    """Cell of a table: its text, small print below it, emphasis, and CSS background."""

    text: str
    small: str = ""
    best: bool = False
    background: str = ""


@dataclass(frozen=True)
class TableRow:
    """Row of a table; `role` is a class of the style sheet."""

    name: str
    cells: tuple[Cell, ...]
    role: str = ""


@dataclass(frozen=True)
class Table:
    """Table with a caption below it."""

    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]
    caption: str


@dataclass(frozen=True)
class Sentence:
    """Sentence of the verdict: `tone` is "yes", "no" or "open"; `claims` holds the differences that it rests on."""

    tone: str
    text: str
    claims: Table | None


def verdict(view: View) -> list[Sentence]:
    """Return the sentences of the verdict, each with its table of differences; empty without a verdict."""
    recorded = view.about.get("verdict")
    if not recorded:
        return []
    measures = {measure.key: measure for measure in view.measures()}
    blocks: dict[tuple[str, str], list[TableRow]] = {}
    for claim in recorded.get("claims", ()):
        rows = blocks.setdefault((claim["row"], claim["other"]), [])
        if claim["difference"]["value"] is not None:
            rows.append(_claim(claim, measures.get(claim["measure"])))
    tables: list[Table | None] = [_claims(row, other, rows) for (row, other), rows in blocks.items()]
    tables += [None] * (len(recorded["sentences"]) - len(tables))
    return [Sentence(_tone(text), text, table) for text, table in zip(recorded["sentences"], tables)]


def _claims(row: str, other: str, rows: Sequence[TableRow]) -> Table | None:
    caption = (
        f"Mean of {row} minus that of {other} on the same pairs, with its 95 % interval. Better: all of it on that "
        "side."
    )
    return Table(("", "difference", "interval", "better?"), tuple(rows), caption) if rows else None


def _claim(claim: Mapping[str, Any], measure: Measure | None) -> TableRow:
    measure = measure or Measure(claim["measure"], claim["measure"], "", "", "")
    metric = Metric(**claim["difference"])
    texts = (value_text(measure, metric), interval_text(measure, metric), claim["answer"])
    return TableRow(f"{measure.heading} {measure.arrow}", tuple(map(Cell, texts)))


def _tone(sentence: str) -> str:
    _, _, answer = sentence.partition(": ")
    return "yes" if answer.startswith("yes") else "no" if answer.startswith("no,") else "open"


def summary(view: View) -> Table:
    """Return the key measures of all rows, the best in bold."""
    measures = view.chosen_measures(SUMMARY_MEASURES, MOST_COLUMNS)
    best = {measure.key: view.best_rows(measure) for measure in measures}
    rows = []
    for row in view.results.rows:
        metrics = [row.metrics.get(measure.key) for measure in measures]
        cells = [
            Cell(value_text(measure, metric), interval_text(measure, metric), row.name in best[measure.key])
            for measure, metric in zip(measures, metrics)
        ]
        rows.append(TableRow(row.name, tuple(cells), view.role(row.name)))
    bold = "Bold: the best of the rows that a model made. " if any(best.values()) else ""
    headings = ("", *(f"{measure.heading}\N{NO-BREAK SPACE}{measure.arrow}" for measure in measures))
    return Table(headings, tuple(rows), f"{bold}{view.about.get('intervals', '')}")


def attributes(view: View) -> Table | None:
    """Return the shift of each attribute in each row, shaded; ``None`` if attributes were not read."""
    table = view.about.get("attributes")
    if not table:
        return None
    names = list(next(iter(table.values())))
    largest = max(values["shift"] for row in table.values() for values in row.values()) or 1.0
    rows = [
        TableRow(row, tuple(_attribute_cell(values[name], largest) for name in names), view.role(row))
        for row, values in table.items()
    ]
    caption = (
        "Large: the mean shift of the network's reading from that of the real target, in standard deviations of the "
        "attribute (darker: more). Small: the worst shift of a pair; the reading's correlation with the truth."
    )
    return Table(("", *names), tuple(rows), caption)


def _attribute_cell(values: Mapping[str, Any], largest: float) -> Cell:
    correlation = UNDEFINED if values["r"] is None else f"{values['r']:.2f}"
    background = f"rgba({_UP},{0.45 * values['shift'] / largest:.2f})"
    return Cell(f"{values['shift']:.2f}", f"{values['worst']:.1f}; r {correlation}", background=background)


def movement(view: View) -> Table | None:
    """Return how far each score moves with each edit of an audit, shaded; ``None`` for other records."""
    table = view.about.get("movement")
    if not table:
        return None
    labels = list(dict.fromkeys(label for row in table.values() for label in row))
    largest = max((abs(value) for row in table.values() for value in row.values()), default=0) or 1.0
    rows = [
        TableRow(edit, tuple(_movement_cell(changes.get(label), largest) for label in labels))
        for edit, changes in table.items()
    ]
    caption = "Mean change of each score (columns) with each edit (rows): red up, blue down."
    return Table(("", *labels), tuple(rows), caption)


def _movement_cell(value: float | None, largest: float) -> Cell:
    if value is None:
        return Cell(UNDEFINED)
    return Cell(f"{value:+.3f}", background=f"rgba({_UP if value > 0 else _DOWN},{0.55 * abs(value) / largest:.2f})")


def breaking(view: View) -> Table | None:
    """Return the edits of an audit that the score did not follow, worst first; ``None`` for other records."""
    edits = view.about.get("breaking")
    if not edits:
        return None
    rows = []
    for edit in edits:
        before, after = (Cell(f"{edit[when]:.3f}") for when in ("before", "after"))
        rows.append(TableRow(edit["image"], (Cell(edit["instruction"]), before, after)))
    headings = ("Image", "Instruction", "score before", "after")
    return Table(headings, tuple(rows), view.about.get("breaking_note", ""))
