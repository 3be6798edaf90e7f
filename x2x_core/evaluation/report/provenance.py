"""The provenance of a record, as data for the templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .view import View

Entries = dict[str, str]  # term to description


def provenance(view: View) -> dict[str, Entries]:
    """Return headings with their entries: rows, the run, measures without a value, and the meaning of the others."""
    measures = {
        f"{measure.group}: {measure.heading} {measure.arrow}": measure.meaning
        for measure in view.measures()
        if measure.meaning
    }
    lists = {
        "Rows": dict(view.about.get("row_notes", {})),
        "The run": _run(view.about),
        "Not measured, and why": view.undefined(),
        "Measures": measures,
    }
    return {heading: entries for heading, entries in lists.items() if entries or heading == "The run"}


def _run(about: Mapping[str, Any]) -> Entries:
    entries = {
        "Model": about.get("model"),
        "SHA-256 of the weights": about.get("weights_sha256"),
        "Settings of all rows": about.get("note"),
        "Pairs of each row": about.get("peers_note"),
        "Intervals": about.get("intervals"),
        "Networks that read the images": ", ".join(about.get("readers", ())),
        "Processor seconds to an edit": _as_text(about.get("seconds_per_edit")),
        "Seconds to an edit, median": _as_text(about.get("median_seconds")),
        "Largest change outside a mask": _as_text(about.get("largest_change_outside_mask")),
        "Asked for": "; ".join(f"{name}: {_as_text(value)}" for name, value in about.get("coverage", {}).items()),
        "Not asked for": ", ".join(about.get("not_covered", ())),
        "Triples of levels": about.get("triples"),
        "Scorers": _as_text(about.get("scorers")),
        "Notes": " ".join(about.get("notes") or ()),
        "Command": about.get("command"),
        "Settings": _as_text(about.get("settings")),
        "Versions": _as_text(about.get("versions")),
    }
    return {term: str(value) for term, value in entries.items() if value not in (None, "", {})}


def _as_text(value: Any) -> str:
    """Return nested settings in words: "count 5, seed 3"."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_as_text(item)}" for name, item in value.items() if item not in (None, {}, []))
    if isinstance(value, list | tuple):
        return ", ".join(_as_text(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)
