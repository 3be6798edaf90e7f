"""The output folder of a batch: who may write to it, what is done, and how a row's results appear in it.

A row's files lie in a folder of its own, which appears in one step, with its record: a row is done if its folder is
there. So a process can be killed at any moment; nothing is left of a row, or all of it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from x2x_core.archive.edit_files import RECORD
from x2x_core.common.errors import InputError, OutputNotAFolderError
from x2x_core.common.run_folder import claim_folder, locked
from x2x_core.common.storage import write_files, write_folder, write_stream

from .plan import Row, Shard

EDITS, SETTINGS, ROWS, ERROR = "edits", "batch.json", "rows.jsonl", "error.json"
WORK = ".work"
_IN_A_FOLDER = 1000


def row_folder(number: int) -> str:
    """Return the folder of a row's results, relative to the output folder: "edits/000/000017"."""
    return f"{EDITS}/{number // _IN_A_FOLDER:03d}/{number:06d}"


class Output(Protocol):
    """Place of a batch's results."""

    def lock(self, shard: Shard) -> AbstractContextManager[None]:
        """Return a context in which no other run writes the same rows.

        Raises:
            OutputExistsError: another run holds it.
        """

    def claim(self, settings: Mapping[str, Any], rows: list[Row]) -> None:
        """Take a new folder for a batch, or check that it holds this very batch.

        Raises:
            InputError: it holds another batch, or other files.
        """

    def done(self) -> set[int]:
        """Return the numbers of the rows that are done, with an edit or an error."""

    def failed(self) -> set[int]:
        """Return the numbers of the rows that are done with an error."""

    def commit(self, number: int, files: Mapping[str, bytes]) -> None:
        """Write the results of a row.

        Raises:
            InputError: they cannot be written.
        """

    def remove(self, number: int) -> None:
        """Remove the results of a row, to edit it again."""

    def read_record(self, number: int) -> tuple[bool, dict[str, Any]]:
        """Return True and the record of a row's edit, or False and that of its error."""

    def write_file(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Write a file beside the results.

        Args:
            name: of the file; one of this name is replaced.
            write: writes the content.

        Raises:
            InputError: it cannot be written.
        """


class LocalOutput:
    """Folder on this machine, or on a disk that several machines share.

    Args:
        folder: its path; created by `claim`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._scratch = folder / WORK / "whole"

    @contextmanager
    def lock(self, shard: Shard) -> Iterator[None]:
        """Hold the folder alone, or beside the other shards of as many."""
        if os.path.exists(self.folder) and not self.folder.is_dir():
            raise OutputNotAFolderError(f"`out` must be a folder, but `{self.folder}` is a file. Give another name.")
        if self._holds_other_files():
            raise InputError(
                f"`out` must be an empty folder or hold this very batch, but `{self.folder}` holds other files. "
                "Choose another folder."
            )
        work = self.folder / WORK
        busy = f"`{self.folder}` is being written by another run. Wait for it, or choose another folder with `out`."
        with ExitStack() as stack:
            is_shared = shard.count > 1
            stack.enter_context(locked(work / "lock.sqlite", busy, shared=is_shared))
            if is_shared:
                name = f"shard-{shard.index}-of-{shard.count}"
                stack.enter_context(locked(work / f"{name}.sqlite", busy))
                for other in sorted(work.glob("shard-*-of-*.sqlite")):
                    if not other.stem.endswith(f"-of-{shard.count}"):
                        with locked(other, f"{busy} It splits the rows otherwise: {other.stem.replace('-', ' ')}."):
                            pass
                self._scratch = work / name
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
            yield
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _holds_other_files(self) -> bool:
        others = self.folder.is_dir() and any(path.name not in (WORK, SETTINGS) for path in self.folder.iterdir())
        return others and not (self.folder / SETTINGS).is_file()

    def claim(self, settings: Mapping[str, Any], rows: list[Row]) -> None:
        """Take the folder for a batch, or check that it holds this very batch."""
        conflict = f"was made with another {{changed}}{self._first_difference(rows)}"
        scratch = self._scratch
        claim_folder(self.folder, SETTINGS, settings, run="batch", conflict=conflict, beside=(WORK,), scratch=scratch)
        if not (self.folder / ROWS).is_file():
            write_files(self.folder, {ROWS: row_lines(rows)}, scratch)

    def _first_difference(self, rows: list[Row]) -> str:
        path = self.folder / ROWS
        return first_difference(path.read_bytes(), rows) if path.is_file() else ""

    def done(self) -> set[int]:
        """Return the numbers of the rows that are done."""
        return {int(path.name) for path in self.folder.glob(f"{EDITS}/*/*") if path.name.isdigit()}

    def failed(self) -> set[int]:
        """Return the numbers of the rows that are done with an error."""
        found = self.folder.glob(f"{EDITS}/*/*/{ERROR}")
        return {int(path.parent.name) for path in found if path.parent.name.isdigit()}

    def commit(self, number: int, files: Mapping[str, bytes]) -> None:
        """Write the results of a row, as a folder that appears in one step."""
        write_folder(self.folder / row_folder(number), files, self._scratch)

    def remove(self, number: int) -> None:
        """Remove the results of a row, in one step."""
        leftover = self._scratch / f"{number}-removed"
        (self.folder / row_folder(number)).rename(leftover)
        shutil.rmtree(leftover)

    def read_record(self, number: int) -> tuple[bool, dict[str, Any]]:
        """Return True and the record of a row's edit, or False and that of its error."""
        folder = self.folder / row_folder(number)
        name = RECORD if (folder / RECORD).is_file() else ERROR
        return name == RECORD, json.loads((folder / name).read_text(encoding="utf-8"))

    def write_file(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Write a file beside the results."""
        write_stream(self.folder / name, write, self._scratch)


def row_lines(rows: Iterable[Row]) -> bytes:
    """Return the rows as lines of JSON."""
    return "".join(json.dumps(row.as_dict(), ensure_ascii=False) + "\n" for row in rows).encode()


def first_difference(recorded: bytes, rows: list[Row]) -> str:
    """Return in words the first row that differs from the recorded ones, "" if none does."""
    lines = recorded.decode().splitlines()
    for line, row in zip(lines, rows):
        before, now = json.loads(line), json.loads(json.dumps(row.as_dict()))
        for name in dict.fromkeys((*before, *now)):
            if before.get(name) != now.get(name):
                return f" (first in row {row.number}: {name} {before.get(name)!r}, now {now.get(name)!r})"
    return "" if len(lines) == len(rows) else f" ({len(lines)} rows, now {len(rows)})"
