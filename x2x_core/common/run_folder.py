"""Folder of a run that can be stopped: new, or claimed again by the same run; locked while it runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, OutputExistsError
from x2x_core.common.storage import write_files


def claim_folder(
    out: Path,
    record: str,
    settings: Mapping[str, Any],
    *,
    run: str = "run",
    conflict: str = "holds another",
    beside: Collection[str] = (),
    scratch: Path | None = None,
) -> None:
    """Make the folder of a run and record its settings, or check that it holds this very run.

    Args:
        out: the folder.
        record: name of the JSON file in it that records the settings.
        settings: everything that decides the results.
        run: name of the run in messages.
        beside: names of files and folders that may lie there already.
        scratch: folder on the same disk for partial files; ``None``: `out`.
        conflict: what messages say of a folder with other settings; "{changed}" in it is replaced by their names.

    Raises:
        InputError: the folder holds another run, or other files.
    """
    settings = json.loads(json.dumps(settings))  # as it is read back
    path = out / record
    leftovers = list(out.glob(f".{record}.*.partial"))  # of a process that was killed
    others = out.is_dir() and any(path.name not in beside for path in out.iterdir() if path not in leftovers)
    requirement = f"`out` must be an empty folder or hold this very {run}"
    if path.is_file():
        if changed := changed_settings(json.loads(path.read_text(encoding="utf-8")), settings):
            raise InputError(
                f"{requirement}, but `{out}` {conflict.format(changed=', '.join(changed))}. Choose another folder."
            )
        return
    if others:
        raise InputError(f"{requirement}, but `{out}` holds other files. Choose another folder.")
    for leftover in leftovers:
        leftover.unlink()
    out.mkdir(parents=True, exist_ok=True)
    write_files(out, {record: (json.dumps(settings, indent=1) + "\n").encode()}, scratch)


def changed_settings(recorded: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Return the names of settings that differ from the recorded ones, sorted."""
    return sorted(name for name in {*recorded, *settings} if recorded.get(name) != settings.get(name))


@contextmanager
def locked(path: Path, refusal: str, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock while the block runs; it ends with the process, however it ends.

    Args:
        path: of the lock's file; its folder is created.
        refusal: message if another process holds it.
        shared: hold it beside other shared holders; an exclusive one and they exclude each other.

    Raises:
        OutputExistsError: another process holds it.
        InputError: the place cannot be written.
    """
    lock = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(path, timeout=0, isolation_level=None)
        lock.execute("BEGIN" if shared else "BEGIN EXCLUSIVE")
        lock.execute("SELECT * FROM sqlite_master").fetchall()  # a shared lock is taken with the first read
    except (OSError, sqlite3.OperationalError) as error:
        if lock is not None:
            lock.close()
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            raise OutputExistsError(refusal) from error
        raise InputError(f"`out` must be a place that can be written, but `{path.parent}` is not: {error}.") from error
    try:
        yield
    finally:
        lock.close()
