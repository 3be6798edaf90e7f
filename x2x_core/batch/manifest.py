"""Manifests: a CSV or parquet table of edits, or a folder of radiographs that share one instruction."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError, one_line
from x2x_core.common.extras import needs_extra
from x2x_core.imaging.kinds import SUFFIXES, is_radiograph_file

from .columns import IMAGE, cell_text, column_names
from .places import exists, file_system, folder_of, is_remote, joined, kind_of, local_path, reaching, read_bytes

_LARGEST = 2**28  # bytes of a table, millions of rows; more are a mistake or an attack
_CSV, _PARQUET = (".csv", ".csv.gz"), (".parquet", ".pq")


@dataclass(frozen=True)
class Manifest:
    """A table as it was read."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]  # cells in the order of `columns`, "" for empty ones; too few or many if malformed
    folder: str  # that relative names of images are relative to


def read_manifest(place: str, out: str = "") -> Manifest:
    """Read a manifest.

    Args:
        place: a table (.csv, .csv.gz, .parquet) with a column `image`, or a folder, whose radiographs are taken at any
            depth, in the order of their paths.
        out: of the results; if it lies in the folder, nothing is taken from it.

    Raises:
        InputNotFoundError: there is nothing.
        InputError: not a table or folder, unknown columns, no rows.
        MissingExtraError: a parquet table, and pyarrow is not installed.
    """
    name = place.partition("::")[0].lower()
    if name.endswith((*_CSV, *_PARQUET)):
        if not exists(place):
            raise InputNotFoundError(f"There is no manifest `{place}`. Give a CSV or parquet table, or a folder.")
        read = _read_csv if name.endswith(_CSV) else _read_parquet
        header, rows = read(place)
        columns = tuple(column_names(header, place))
        if IMAGE not in columns:
            raise InputError(f"`{place}` must have a column `image`, but lacks it. Its columns: {', '.join(columns)}.")
        manifest = Manifest(columns, rows, folder_of(place))
    else:
        manifest = Manifest((IMAGE,), [(path,) for path in _radiographs(place, out)], place)
    if not manifest.rows:
        raise InputError(f"`{place}` must name at least one image, but names none.")
    return manifest


def _read_csv(place: str) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    data = read_bytes(place)
    try:
        if data[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise InputError(f"`{place}` must have at most {_LARGEST} bytes, unpacked: split it into several tables.")
        text = data.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise InputError(f"`{place}` must be a CSV table in UTF-8, but cannot be read: {one_line(error)}.") from error
    lines = [line for line in lines if line]
    return (lines[0], [tuple(cell.strip() for cell in line) for line in lines[1:]]) if lines else ((), [])


def _read_parquet(place: str) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    with needs_extra("Reading a parquet table", "pyarrow", "batch"):
        import pyarrow
        from pyarrow import parquet
    try:
        table: Any = parquet.read_table(io.BytesIO(read_bytes(place)))
    except InputError:
        raise
    except (OSError, ValueError, MemoryError, pyarrow.ArrowException) as error:
        raise InputError(f"`{place}` must be a parquet table, but cannot be read: {one_line(error)}.") from error
    columns = [[cell_text(value) for value in column.to_pylist()] for column in table.columns]
    return table.column_names, list(zip(*columns))


def _radiographs(place: str, out: str) -> Iterator[str]:
    """Yield the paths of the radiographs in a folder, relative to it, sorted, without those below `out`."""
    if is_remote(place):
        with reaching(place):
            system, path = file_system(place)
            if path.strip("/") and kind_of(system, path) != "directory":
                raise InputNotFoundError(f"There is no folder `{place}`.")
            found = (str(name) for name in system.find(path))
        root = path.rstrip("/") + "/" if path.strip("/") else path
        if is_remote(out):
            own = file_system(out)[1].rstrip("/") + "/"
            found = (name for name in found if not name.startswith(own))
        yield from sorted(name.removeprefix(root) for name in found if name.lower().endswith(SUFFIXES))
        return
    folder = local_path(place)
    if not os.path.isdir(folder):
        raise InputNotFoundError(f"There is no folder or table `{place}`. Give a CSV or parquet table, or a folder.")
    results = folder.resolve() if not out or is_remote(out) else local_path(out).resolve()
    is_inside = results != folder.resolve() and results.is_relative_to(folder.resolve()) and not results.is_file()
    files = (path for path in folder.rglob("*") if not (is_inside and path.resolve().is_relative_to(results)))
    files = (path for path in files if is_radiograph_file(path))
    yield from sorted(path.relative_to(folder).as_posix() for path in files)


def image_place(manifest: Manifest, name: str) -> str:
    """Return the place of an image that a manifest names."""
    return joined(manifest.folder, name)


def resolved(place: str) -> str:
    """Return a place by which equal images are found: an absolute path, or the URL."""
    return place if is_remote(place) else str(Path(local_path(place)).absolute())
