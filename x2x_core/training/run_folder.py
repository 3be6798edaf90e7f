"""Run folder: which run it belongs to, and where its parts are."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, OutputNotAFolderError
from x2x_core.common.storage import write_text
from x2x_core.pairs.layout import read_rows

from .config import TrainingConfig
from .lungs.images import FILMS, OUTLINES

# Fields that may differ between a run and its resumption, since they do not affect the result.
_FREE_FIELDS = frozenset({
    "out", "workers", "checkpoint_every", "keep_checkpoints", "sample_every", "sample_steps", "validate_every",
    "validation_pairs", "log_every", "trackers", "card",
})  # fmt: skip
_PATH_FIELDS = frozenset({"data", "init", "autoencoder", "tokenizer"})
_EXTRA_DATA = ("attributes.jsonl", "fields/*", "masks/*", OUTLINES, f"{FILMS}/*")


class RunFolder:
    """Folder of a run.

    Args:
        config: the run.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config, self.path = config, Path(config.out)
        self._config_file, self._data_file = self.path / "config.json", self.path / "data.json"

    @property
    def pipeline(self) -> Path:
        """Folder of the finished model."""
        return self.path / "pipeline"

    @property
    def samples(self) -> Path:
        """Folder of the sample grids."""
        return self.path / "samples"

    def checkpoints(self) -> list[Path]:
        """Return the folders of the complete checkpoints, oldest first."""
        return sorted(self.path.glob("checkpoint-*"))

    def check(self, resume: bool) -> None:
        """Check that the folder is new or holds this very run.

        Args:
            resume: whether existing checkpoints are allowed.

        Raises:
            OutputNotAFolderError: a file has the folder's name.
            InputError: the folder holds a run of another configuration, or of data that have changed, or checkpoints
                although `resume` is False. The message names the field that differs.
        """
        if self.path.exists() and not self.path.is_dir():
            raise OutputNotAFolderError(f"`out` must be a folder, but `{self.path}` is a file.")
        if self._config_file.is_file():
            self._check_same_run(json.loads(self._config_file.read_text(encoding="utf-8")))
        if not resume and self.checkpoints():
            raise InputError(f"`resume` is off, but {self.path} holds checkpoints. Choose another folder.")
        if self._data_file.is_file():
            recorded = json.loads(self._data_file.read_text(encoding="utf-8"))["sha256"]
            if recorded != data_fingerprint(*self.config.datasets):
                raise InputError(
                    f"`data` must be unchanged since the run in {self.path} began, but the pairs or images in "
                    f"{', '.join(self.config.datasets)} differ. Restore them, or choose another folder for `out`."
                )

    def _check_same_run(self, recorded: Mapping[str, Any]) -> None:
        before, now = _with_defaults(recorded), _decisive(self.config.as_dict())
        for name in sorted(before.keys() | now.keys()):
            old, new = before.get(name), now.get(name)
            if old != new and not (name in _PATH_FIELDS and _same_path(old, new)):
                raise InputError(
                    f"`out` must be a new folder or hold this very run, but {self.path} holds a run of another "
                    f"configuration: `{name}` was {json.dumps(old)} and is now {json.dumps(new)}. Choose another "
                    "folder."
                )

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Record the run in the folder; if the block fails on a new folder, remove what was written."""
        existed = self.path.exists()
        new = not self._config_file.is_file()
        before = set(self.path.iterdir()) if existed else set()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._record()
            yield
        except BaseException:
            if new:
                self._remove(set(self.path.iterdir()) - before, everything=not existed)
            raise

    def _record(self) -> None:
        write_text(self._config_file, json.dumps(_decisive(self.config.as_dict()), indent=1) + "\n")
        if not self._data_file.is_file():
            write_text(self._data_file, json.dumps({"sha256": data_fingerprint(*self.config.datasets)}) + "\n")

    def _remove(self, entries: Iterable[Path], everything: bool) -> None:
        for entry in entries:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if everything:
            self.path.rmdir()


def data_fingerprint(*folders: str | Path) -> str:
    """Return the SHA-256 of the training pairs of one or more datasets: instructions, names and sizes of all images.

    Masks and attributes of a simulated dataset are included, since some tasks train on them. A folder of outlined films
    has no pairs: its table, films and outlines count.

    Raises:
        InputNotFoundError: there is no dataset, or an image is missing.
        InputError: see `read_rows`.
    """
    digest = hashlib.sha256()
    for folder in map(Path, folders):
        _add_dataset(digest, folder)
    return digest.hexdigest()


def _add_dataset(digest: hashlib._Hash, folder: Path) -> None:
    for row in () if (folder / OUTLINES).is_file() else read_rows(folder, "train"):
        images = [_name_and_size(folder, path) for path in (row.past, row.current)]
        digest.update((json.dumps([row.instruction, *images]) + "\n").encode())
    extras = (path for name in _EXTRA_DATA for path in sorted(folder.glob(name)))
    for path in extras:
        digest.update((json.dumps(_name_and_size(folder, path)) + "\n").encode())


def _name_and_size(folder: Path, path: Path) -> tuple[str, int]:
    return path.relative_to(folder).as_posix(), path.stat().st_size


def _decisive(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that affect the result."""
    return {name: value for name, value in values.items() if name not in _FREE_FIELDS}


def _with_defaults(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recorded run's fields; a field that is newer than the record had its default."""
    defaults = TrainingConfig(task="autoencoder", data="-", out="-").as_dict()  # the three required fields are recorded
    return _decisive({**defaults, **recorded})


def _same_path(first: Any, second: Any) -> bool:
    """Return True if two texts, or two lists of texts, name the same places."""
    if isinstance(first, list) or isinstance(second, list):
        firsts, seconds = (value if isinstance(value, list) else [value] for value in (first, second))
        return len(firsts) == len(seconds) and all(map(_same_path, firsts, seconds))
    if not (isinstance(first, str) and isinstance(second, str) and first and second):
        return False
    return Path(first).resolve() == Path(second).resolve()
