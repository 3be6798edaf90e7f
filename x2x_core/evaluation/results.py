"""Record of an evaluation for JSON and CSV: rows of metrics with intervals, and cases.

The JSON file has this layout::

    {"about": {...},
     "rows": [{"name": "edited",
               "metrics": {METRIC: {"value": x, "low": x, "high": x, "n": n, "note": ""}},
               "per_finding": {FINDING: {METRIC: {...}}},
               "per_operation": {OPERATION: {METRIC: {...}}}}],
     "cases": [{"id": ..., "instruction": ..., "files": {"before": ..., ...}, "scores": {...}}]}

`value`, `low` and `high` are null if a metric is undefined; `note` then gives the reason.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.storage import read_text

EDITED, UNEDITED, TARGET = "edited", "do nothing", "real target"  # names of the usual rows
CSV_COLUMNS = ("row", "group", "name", "metric", "value", "low", "high", "n", "note")
OVERALL = "overall"


@dataclass(frozen=True)
class Metric:
    """Value of a metric with its 95 % interval; ``None`` if undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0  # number of images, pairs or clauses that it is computed from
    note: str = ""  # why it is undefined, or a caveat

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise InputError(f"`{name}` must be a finite number, or None where it is undefined, got {number}.")


Metrics = dict[str, Metric]  # key of a metric to its value


@dataclass(frozen=True)
class ResultRow:
    """One row of a table: edited images, unedited images, real targets, or another model's edits."""

    name: str
    metrics: Metrics
    per_finding: dict[str, Metrics] = field(default_factory=dict)
    per_operation: dict[str, Metrics] = field(default_factory=dict)

    def groups(self) -> Iterator[tuple[str, str, Metrics]]:
        """Yield all metrics as (group, name, metrics), with the groups "overall", "finding" and "operation"."""
        yield OVERALL, "", self.metrics
        for finding, metrics in self.per_finding.items():
            yield "finding", finding, metrics
        for operation, metrics in self.per_operation.items():
            yield "operation", operation, metrics


@dataclass(frozen=True)
class Case:
    """One pair.

    Args:
        id: name of the case.
        instruction: text of its edit.
        files: paths of pictures relative to the folder of the record, usually "before", "after", "target" and
            "guidance".
        scores: values by key, or by row and key.
    """

    id: str
    instruction: str
    files: dict[str, str]
    scores: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Results:
    """Record of an evaluation."""

    about: dict[str, Any]  # command, seed, versions, model, scorers, notes, ...
    rows: tuple[ResultRow, ...]
    cases: tuple[Case, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return a record for JSON."""
        return {
            "about": self.about,
            "rows": [asdict(row) for row in self.rows],
            "cases": [asdict(c) for c in self.cases],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Results:
        """Return the inverse of `as_dict`.

        Raises:
            InputError: another layout.
        """
        try:
            rows = tuple(_row(row) for row in record["rows"])
            cases = tuple(Case(**case) for case in record.get("cases", ()))
            return cls(dict(record["about"]), rows, cases)
        except (KeyError, TypeError) as error:
            raise InputError(
                f"`record` must have the layout of an evaluation (about, rows, cases): {error}."
            ) from error

    def write_json(self, path: str | Path) -> None:
        """Write `as_dict` as JSON."""
        text = json.dumps(self.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        Path(path).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read_json(cls, path: str | Path) -> Results:
        """Read the file that `write_json` wrote, or that file compressed by gzip (".json.gz").

        Raises:
            InputNotFoundError: there is no such file.
            InputError: not JSON, or another layout.
        """
        path = Path(path)
        if not path.is_file():
            raise InputNotFoundError(f"There is no record of an evaluation at `{path}`.")
        try:
            return cls.from_dict(json.loads(read_text(path)))
        except json.JSONDecodeError as error:
            raise InputError(f"`{path}` must be JSON: {error}.") from error

    def write_csv(self, path: str | Path) -> None:
        """Write all metrics, one a line, with the columns `CSV_COLUMNS`; cells are empty where undefined."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(CSV_COLUMNS)
            for row in self.rows:
                for group, name, metrics in row.groups():
                    for key, metric in metrics.items():
                        table.writerow((row.name, group, name, key, *asdict(metric).values()))


def _row(record: Mapping[str, Any]) -> ResultRow:
    groups = {
        kind: {name: _metrics(metrics) for name, metrics in record.get(kind, {}).items()}
        for kind in ("per_finding", "per_operation")
    }
    return ResultRow(record["name"], _metrics(record["metrics"]), **groups)


def _metrics(record: Mapping[str, Any]) -> Metrics:
    return {key: Metric(**metric) for key, metric in record.items()}
