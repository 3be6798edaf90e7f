"""The table of results: one row for each row of the manifest, as CSV and parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from typing import Any, BinaryIO

from x2x_core.archive.edit_files import RESULTS
from x2x_core.archive.writing import FILES as DICOM_RESULTS
from x2x_core.imaging.kinds import DICOM

from .output import Output, row_folder
from .plan import Row

CSV, PARQUET = "results.csv", "results.parquet"
DONE, FAILED = "done", "error"
_FILES = tuple(name.replace(".", "_") for name in (*RESULTS, *DICOM_RESULTS))
# Columns; all texts but `_NUMBERS`. Paths are relative to the output folder.
COLUMNS = (
    "row", "status", "image", "prompt", "seed", "model", "keep_mask", "settings", "folder", *_FILES, "understood",
    "editable_share", "changed_share", "warnings", "error",
)  # fmt: skip
_NUMBERS = {"row": "int64", "editable_share": "float64", "changed_share": "float64"}
_BETWEEN_WARNINGS = " | "
_AT_ONCE = 1000  # rows in memory


def result_row(output: Output, row: Row, with_dicom: bool) -> dict[str, Any]:
    """Return the row of results of a row that is done; ``None`` for what it lacks.

    Args:
        output: of the batch.
        row: of the manifest.
        with_dicom: whether DICOM inputs have DICOM results.
    """
    is_edit, record = output.read_record(row.number)
    folder = row_folder(row.number)
    values = {**dict.fromkeys(COLUMNS), "row": row.number, "status": DONE if is_edit else FAILED, "folder": folder}
    values |= {"image": row.image, "prompt": row.prompt, "seed": str(row.seed), "model": row.model}
    values["keep_mask"] = row.keep_mask or None
    values["settings"] = json.dumps(dict(row.settings), ensure_ascii=False) if row.settings else None
    if not is_edit:
        return {**values, "error": record["error"]}
    names = (*RESULTS, *DICOM_RESULTS) if with_dicom and record["input"]["kind"] == DICOM else RESULTS
    values |= {name.replace(".", "_"): f"{folder}/{name}" for name in names}
    values["understood"] = record["instruction"]["canonical"]
    values |= {name: record[name] for name in ("editable_share", "changed_share")}
    values["warnings"] = _BETWEEN_WARNINGS.join(record["warnings"]) or None
    return values


def write_results(output: Output, rows: Sequence[Row], with_dicom: bool) -> list[str]:
    """Write the table of a batch whose rows are all done.

    Returns:
        The names of the files: `CSV`, and `PARQUET` if pyarrow is installed.
    """

    def lines() -> Iterator[dict[str, Any]]:
        return (result_row(output, row, with_dicom) for row in rows)

    output.write_file(CSV, lambda file: _write_csv(file, lines()))
    if find_spec("pyarrow") is None:
        return [CSV]
    output.write_file(PARQUET, lambda file: _write_parquet(file, lines()))
    return [CSV, PARQUET]


def _write_csv(file: BinaryIO, lines: Iterator[dict[str, Any]]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(line.values() for line in lines)
    text.detach()


def _write_parquet(file: BinaryIO, lines: Iterator[dict[str, Any]]) -> None:
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema([(name, _NUMBERS.get(name, "string")) for name in COLUMNS])
    with parquet.ParquetWriter(file, schema) as table:
        while part := list(islice(lines, _AT_ONCE)):
            table.write_table(pyarrow.Table.from_pylist(part, schema))
