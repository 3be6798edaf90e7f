"""An output folder elsewhere, reached through fsspec: an object store, a memory file system."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from x2x_core.archive.edit_files import RECORD
from x2x_core.common.errors import InputError, one_line
from x2x_core.common.run_folder import changed_settings

from .output import EDITS, ERROR, ROWS, SETTINGS, first_difference, row_folder, row_lines
from .places import file_system, kind_of, reaching
from .plan import Row, Shard

_MARKS = (RECORD, ERROR)  # written last: a row is done if one of them is there


class RemoteOutput:
    """Folder of a file system of fsspec whose files appear complete, as those of object stores do.

    A row's record is written after its files. There is no lock: a second run on the folder is not noticed.

    Args:
        place: URL of the folder.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        with reaching(place):
            self._system, root = file_system(place)
        self._root = root.rstrip("/")

    @contextmanager
    def lock(self, shard: Shard) -> Iterator[None]:
        """Do nothing: object stores have no locks that end with a process."""
        yield

    def claim(self, settings: Mapping[str, Any], rows: list[Row]) -> None:
        """Take the folder for a batch, or check that it holds this very batch."""
        requirement = "`out` must be an empty folder or hold this very batch"
        settings = json.loads(json.dumps(settings))
        if self._exists(SETTINGS):
            if changed := changed_settings(json.loads(self._read(SETTINGS)), settings):
                first = first_difference(self._read(ROWS), rows) if self._exists(ROWS) else ""
                raise InputError(
                    f"{requirement}, but `{self.place}` was made with another {', '.join(changed)}{first}. Choose "
                    "another folder."
                )
        elif self._find(self._root):
            raise InputError(f"{requirement}, but `{self.place}` holds other files. Choose another folder.")
        else:
            self._write(SETTINGS, (json.dumps(settings, indent=1) + "\n").encode())
        if not self._exists(ROWS):
            self._write(ROWS, row_lines(rows))

    def done(self) -> set[int]:
        """Return the numbers of the rows that are done."""
        return self._marked(_MARKS)

    def failed(self) -> set[int]:
        """Return the numbers of the rows that are done with an error."""
        return self._marked((ERROR,))

    def _marked(self, names: tuple[str, ...]) -> set[int]:
        parts = (path.rsplit("/", 2) for path in self._find(f"{self._root}/{EDITS}"))
        return {int(folder) for _, folder, name in parts if name in names and folder.isdigit()}

    def commit(self, number: int, files: Mapping[str, bytes]) -> None:
        """Write the results of a row, its record last."""
        ordered = sorted(files, key=lambda name: name in _MARKS)
        for name in ordered:
            self._write(f"{row_folder(number)}/{name}", files[name])

    def remove(self, number: int) -> None:
        """Remove the results of a row, its record first."""
        files = sorted(self._find(f"{self._root}/{row_folder(number)}"), key=lambda path: not path.endswith(_MARKS))
        with reaching(self.place):
            for path in files:
                self._system.rm_file(path)

    def read_record(self, number: int) -> tuple[bool, dict[str, Any]]:
        """Return True and the record of a row's edit, or False and that of its error."""
        folder = row_folder(number)
        name = RECORD if self._exists(f"{folder}/{RECORD}") else ERROR
        return name == RECORD, json.loads(self._read(f"{folder}/{name}"))

    def write_file(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Write a file beside the results."""
        encoded = io.BytesIO()
        write(encoded)
        self._write(name, encoded.getvalue())

    def _find(self, folder: str) -> list[str]:
        """Return the paths of all files below a folder; none if it is not there."""
        with reaching(self.place):
            try:
                return [str(path) for path in self._system.find(folder)]
            except FileNotFoundError:
                return []

    def _exists(self, name: str) -> bool:
        with reaching(self.place):
            return kind_of(self._system, f"{self._root}/{name}") is not None

    def _read(self, name: str) -> bytes:
        with reaching(self.place):
            return bytes(self._system.cat_file(f"{self._root}/{name}"))

    def _write(self, name: str, data: bytes) -> None:
        with reaching(self.place):
            try:
                self._put(f"{self._root}/{name}", data)
            except OSError as error:
                raise InputError(
                    f"`out` must be a place that can be written, but `{self.place}` is not: {one_line(error)}. Choose "
                    "another place."
                ) from error

    def _put(self, path: str, data: bytes) -> None:
        """Write a file, and its folder where the store has folders; a bucket that is not there is not made."""
        try:
            self._system.pipe_file(path, data)
        except FileNotFoundError:
            if kind_of(self._system, self._root.strip("/").partition("/")[0]) is None:
                raise
            self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._system.pipe_file(path, data)
