"""Records on disk, including ablations of version 0.1, whose layout was another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.common.storage import read_text

from .results import UNEDITED, Case, Metric, Metrics, ResultRow, Results


def read_record(path: str | Path) -> Results:
    """Read the record of an evaluation, benchmark, ablation or audit.

    An ablation that version 0.1 recorded is converted: its unedited image becomes the row "do nothing".

    Raises:
        InputNotFoundError: there is no such file.
        InputError: not JSON, or another layout.
    """
    path = Path(path)
    if not path.is_file():
        return Results.read_json(path)  # raises the error that says so
    try:
        record = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"`{path}` must be JSON: {error}.") from error
    if isinstance(record, Mapping) and isinstance(record.get("rows"), Mapping):
        return _from_ablation(record)
    return Results.from_dict(record)


def _from_ablation(record: Mapping[str, Any]) -> Results:
    try:
        rows = {name: _metrics(row["values"]) for name, row in record["rows"].items()}
        rows[UNEDITED] = _metrics(record["unedited"])
        notes = {name: row["note"] for name, row in record["rows"].items()}
        outside = {name: row["largest_change_outside_mask"] for name, row in record["rows"].items()}
        kept = ("settings", "note", "intervals", "measures", "synthetic", "model", "weights_sha256", "versions")
        about = {
            "title": "Ablation",
            "unit": "simulated pairs",
            **{key: record[key] for key in kept if key in record},
            "row_notes": {**notes, UNEDITED: "the image as it was"},
            "references": [UNEDITED],
            "ours": "ours",
            "unrestricted": "no restriction",
            "largest_change_outside_mask": outside,
        }
        cases = [
            Case(f"{number:06d}", pair["instruction"], {}, dict(pair["scores"]))
            for number, pair in enumerate(record["pairs"])
        ]
    except (KeyError, TypeError) as error:
        raise InputError(f"`record` must have the layout of an ablation: {error}.") from error
    return Results(about, tuple(ResultRow(name, metrics) for name, metrics in rows.items()), tuple(cases))


def _metrics(values: Mapping[str, Mapping[str, Any]]) -> Metrics:
    return {key: Metric(value["value"], value["low"], value["high"], value["count"]) for key, value in values.items()}
