"""The table of a grounding audit: one row for each model and edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from x2x_core.common.extras import needs_extra
from x2x_core.common.storage import write_stream, write_table

CSV, PARQUET = "rows.csv", "rows.parquet"
_BOOLS = ("truth", "matches", "says_before", "says_after")
_FLOATS = ("amount", "gain", "editable_share", "changed_share", "score_before", "score_after")
_INTEGERS = ("case", "edit", "seed")
COLUMNS = (
    "answerer", "case", "edit", "image", "finding", "side", "question", "truth", "kind", "expects", "level", "seed",
    "instruction", "amount", "gain", "matches", "editable_share", "changed_share",
    "says_before", "score_before", "text_before", "says_after", "score_after", "text_after", "file",
)  # fmt: skip
Record = Mapping[str, Any]


def check_tables() -> None:
    """Check that tables can be written, before a long run.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    with needs_extra("Writing a parquet table", "pyarrow", "batch"):
        import pyarrow  # noqa: F401


def audit_rows(records: Sequence[Record], answers: Mapping[str, Sequence[Record]]) -> Iterator[dict[str, Any]]:
    """Yield the rows, as dictionaries of `COLUMNS`.

    Args:
        records: the cases with their edits.
        answers: of each model by its name, one record for each case.
    """
    for name, of_model in answers.items():
        for record, answered in zip(records, of_model, strict=True):
            before = answered["before"]
            for number, (edit, after) in enumerate(zip(record["edits"], answered["edits"], strict=True), start=1):
                row = {"answerer": name, "edit": number, **record, **edit}
                row |= {f"{key}_before": before[key] for key in ("says", "score", "text")}
                row |= {f"{key}_after": after[key] for key in ("says", "score", "text")}
                yield {column: row[column] for column in COLUMNS}


def write_rows(out: Path, rows: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Write the rows as parquet and CSV, and return the files.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: the folder cannot be written.
    """
    check_tables()
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist([dict(row) for row in rows], pyarrow.schema(_fields()))
    write_stream(out / PARQUET, lambda file: parquet.write_table(table, file), out)
    write_table(out / CSV, COLUMNS, (["" if row[name] is None else row[name] for name in COLUMNS] for row in rows), out)
    return [out / PARQUET, out / CSV]


def _fields() -> list[tuple[str, str]]:
    types = {**dict.fromkeys(_BOOLS, "bool"), **dict.fromkeys(_FLOATS, "float64"), **dict.fromkeys(_INTEGERS, "int64")}
    return [(name, types.get(name, "string")) for name in COLUMNS]
