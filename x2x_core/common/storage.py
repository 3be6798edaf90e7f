"""Atomic writes: files appear complete or not at all, with the same bytes on every platform. Reading of packed text."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from x2x_core.common.errors import InputError, OutputExistsError


def write_bytes(path: Path, data: bytes, scratch: Path | None = None) -> None:
    """Write a file atomically.

    Args:
        path: of the file.
        data: its content.
        scratch: folder on the same disk for the partial file; `None` writes it beside `path`, for a single writer.
    """
    partial = path.with_suffix(".tmp") if scratch is None else scratch / f"{os.getpid()}-{path.name}"
    partial.write_bytes(data)
    os.replace(partial, path)


def write_text(path: Path, text: str, scratch: Path | None = None) -> None:
    """Write a UTF-8 text file atomically."""
    write_bytes(path, text.encode(), scratch)


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, compressed by gzip if its suffix is ".gz".

    Raises:
        OSError: the file cannot be read, or is not what its suffix says.
    """
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")


def write_json(path: Path, value: Any, scratch: Path) -> None:
    """Write a JSON-serialisable value, indented, atomically."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n", scratch)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], scratch: Path) -> None:
    """Write a CSV table atomically, row by row; `rows` may be a generator."""
    partial = scratch / f"{os.getpid()}-{path.name}"
    with partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
    os.replace(partial, path)


def write_files(
    folder: Path, files: Mapping[str, bytes], scratch: Path | None = None, *, may_replace: bool = True
) -> None:
    """Write files into an existing folder: all of them complete, or none.

    They are written under other names and to the disk first, so that a full disk or a lost permission is met before
    the first takes its place.

    Args:
        folder: where.
        files: name to content.
        scratch: existing folder on the same disk for the partial files; ``None``: `folder`.
        may_replace: files of these names are replaced.

    Raises:
        OutputExistsError: a file of one of these names is there, perhaps since a moment ago, by another run.
        InputError: the folder cannot be written; what was new in it is removed.
    """
    partial = {name: (scratch or folder) / f".{name}.{os.getpid()}.partial" for name in files}
    placed: list[Path] = []
    with _cleaned_up(folder, lambda: (*partial.values(), *placed)):
        for name, data in files.items():
            write_to_disk(partial[name], data)
        for name, path in partial.items():
            is_new = not (folder / name).exists()
            if may_replace:
                os.replace(path, folder / name)
            else:
                _place_new(path, folder / name)
            placed += [folder / name] if is_new else []
        _sync_folder(folder)


def write_folder(folder: Path, files: Mapping[str, bytes], scratch: Path) -> None:
    """Write a new folder of files that appears complete, in one step, or not at all.

    Args:
        folder: its path, of nothing or of an empty folder; parents are created.
        files: name to content.
        scratch: folder on the same disk for the partial one.

    Raises:
        OutputExistsError: the folder holds something; it is not touched.
        InputError: the place cannot be written.
    """
    with assembled_folder(folder, scratch) as partial:
        for name, data in files.items():
            write_to_disk(partial / name, data)


@contextmanager
def assembled_folder(folder: Path, scratch: Path | None = None) -> Iterator[Path]:
    """Yield a folder to fill with files, which gets its name when the block ends, and is removed if the block fails.

    Args:
        folder: its path, of nothing or of an empty folder; parents are created.
        scratch: folder on the same disk for the partial one; ``None``: that of `folder`.

    Raises:
        OutputExistsError: the folder holds something, perhaps since the block began; it is not touched.
        InputError: the place cannot be written.
    """
    _check_vacant(folder)
    partial = (scratch or folder.parent) / f".{folder.name}.{os.getpid()}.partial"
    with _cleaned_up(folder, lambda: (*partial.glob("*"), partial)):
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed and had the same number
        partial.mkdir(parents=True)
        yield partial
        _sync_folder(partial)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _check_vacant(folder)
        if folder.exists():
            folder.rmdir()  # renaming replaces an empty folder on some systems only
        os.rename(partial, folder)
        _sync_folder(folder.parent)


def _check_vacant(folder: Path) -> None:
    """Check that there is nothing at a path, or an empty folder.

    Raises:
        OutputExistsError: there is something.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputExistsError(
            f"`out` must be a new or empty folder, but `{folder}` is not. It is left as it is: give another one."
        )


def write_stream(path: Path, write: Callable[[BinaryIO], None], scratch: Path) -> None:
    """Write a file by a function, so that it appears complete or not at all.

    Args:
        path: of the file; one of this name is replaced.
        write: writes the content to an open file.
        scratch: existing folder on the same disk for the partial file.

    Raises:
        InputError: the place cannot be written.
    """
    partial = scratch / f"{os.getpid()}-{path.name}"
    with _cleaned_up(path.parent, lambda: (partial,)):
        with partial.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _sync_folder(path.parent)


@contextmanager
def _cleaned_up(place: Path, leftovers: Callable[[], Iterable[Path]]) -> Iterator[None]:
    """Remove files and empty folders if the block fails, and turn errors of the disk into one sentence."""
    try:
        yield
    except BaseException as error:
        for path in leftovers():
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError) and not isinstance(error, InputError):
            raise InputError(
                f"`out` must be a place that can be written, but `{place}` is not: {error.strerror or error}. Nothing "
                "is left half-written; make room, or choose another place."
            ) from error
        raise


def _place_new(partial: Path, path: Path) -> None:
    """Give a file its name, unless there is one of that name.

    Raises:
        OutputExistsError: there is one; it is not touched.
    """
    try:
        os.link(partial, path)  # in one step; a rename would replace
    except FileExistsError as error:
        raise OutputExistsError(
            f"`{path}` exists, written by another run meanwhile. It is left as it is: choose another folder."
        ) from error
    except OSError:  # a file system without links
        if path.exists():
            raise OutputExistsError(f"`{path}` exists. It is left as it is: choose another folder.") from None
        os.replace(partial, path)
    else:
        partial.unlink()


def write_to_disk(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's names; systems that cannot open or sync folders do without."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP):
            raise
