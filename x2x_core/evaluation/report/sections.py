"""Sections of the page as data for the templates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .gallery import shown_cases
from .plots import Panel, forest, legend, plot_groups
from .provenance import provenance
from .tables import attributes, breaking, movement, summary, verdict
from .view import GROUP_MEASURES, MOST_PANELS, View

CASES_NOTE = (
    "Outlines: where each edit could change the image. Error ratio: squared error over that of the unedited image."
)


@dataclass(frozen=True)
class Section:
    """A section: its heading, the template that draws it, and the data that the template takes."""

    heading: str
    template: str
    content: Any

    @property
    def anchor(self) -> str:
        """Target of links to the section."""
        return self.heading.lower().replace(" ", "-")


def header(view: View) -> dict[str, str]:
    """Return the title, the line below it, and the notice."""
    about = view.about
    measures = view.measures()
    counts = [row.metrics[one.key].n for row in view.results.rows for one in measures if one.key in row.metrics]
    size = about.get("size") or (f"{max(counts)} {about.get('unit', 'images or pairs')}" if counts else "")
    parts = [f"Model: {about['model']}" if "model" in about else "", str(size)]
    return {
        "title": str(about.get("title", "Evaluation")),
        "lead": ", ".join(part for part in parts if part) + ".",
        "notice": about.get("notice", ""),
    }


def sections(view: View, folder: Path) -> list[Section]:
    """Return the sections that the record has content for.

    Args:
        view: the record.
        folder: folder that the cases' files are relative to.
    """
    makers: dict[tuple[str, str], Callable[[View], Any]] = {
        ("Verdict", "verdict"): verdict,
        ("In short", "table"): summary,
        ("All measures", "forests"): _forests,
        ("By finding", "groups"): lambda view: _groups(view, "per_finding"),
        ("By operation", "groups"): lambda view: _groups(view, "per_operation"),
        ("Attributes", "table"): attributes,
        ("What moves with what", "table"): movement,
        ("Images that break it", "breaking"): breaking,
        ("Cases", "cases"): lambda view: _cases(view, folder),
        ("How it was made", "provenance"): provenance,
    }
    made = [Section(heading, f"{template}.html.jinja", make(view)) for (heading, template), make in makers.items()]
    return [section for section in made if section.content]


def _forests(view: View) -> dict[str, list[Panel]]:
    """Return the panels of each group of measures."""
    panels = {group: [forest(view, measure) for measure in measures] for group, measures in view.groups().items()}
    return {group: [panel for panel in of_group if panel] for group, of_group in panels.items()}


def _groups(view: View, kind: str) -> dict[str, Any] | None:
    """Return legend and panels of a comparison by "per_finding" or "per_operation", ours first."""
    ours = view.ours().name
    rows = sorted((row for row in view.compared_rows() if getattr(row, kind)), key=lambda row: row.name != ours)
    measures = view.chosen_measures(GROUP_MEASURES, MOST_PANELS)
    panels = [panel for measure in measures if (panel := plot_groups(view, measure, kind, rows))] if rows else []
    return {"legend": legend(view, rows), "panels": panels} if panels else None


def _cases(view: View, folder: Path) -> dict[str, Any] | None:
    cases = shown_cases(view, folder)
    return {"note": view.about.get("cases_note", CASES_NOTE), "cases": cases} if cases else None
