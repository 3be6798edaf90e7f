"""A record as a table of text, for a terminal."""

from __future__ import annotations

from .view import View, value_text

Lines = list[tuple[str, ...]]


def text_table(view: View) -> Lines:
    """Return a heading, then for each group of measures a line with its name alone and a line for each measure."""
    rows = view.results.rows
    lines: Lines = [("", *(row.name for row in rows))]
    for group, measures in view.groups().items():
        lines.append((group, *[""] * len(rows)))
        for measure in measures:
            values = [value_text(measure, row.metrics.get(measure.key)) for row in rows]
            lines.append((f"{measure.heading} {measure.arrow}".strip(), *values))
    return lines


def row_notes(view: View) -> list[str]:
    """Return what readers of the table must know: the number of pairs, the settings, and what each row is."""
    pairs = f"{len(view.results.cases)} pairs, the same pairs and seeds for all rows."
    notes = view.about.get("row_notes", {})
    return [f"{pairs} {view.about.get('note', '')}".strip(), *(f"{name}: {note}." for name, note in notes.items())]
