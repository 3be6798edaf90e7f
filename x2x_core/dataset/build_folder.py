"""The output folder of a build: its record, its lock, and the state from which an interrupted build continues."""

from __future__ import annotations

import json
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from x2x_core.common.errors import OutputExistsError
from x2x_core.common.run_folder import locked
from x2x_core.common.storage import write_json
from x2x_core.pairs.layout import CURRENT, PAST

from .layout import BUILD, VALID, WORK, parts_folder, scratch_folder


def check_folder(out: Path) -> None:
    """Check that `out` is a new folder, an empty one, or a build.

    Raises:
        OutputExistsError: it is a file, or contains other files.
    """
    if out.exists() and not out.is_dir():
        raise OutputExistsError(f"`--out` must be a folder, but `{out}` is a file. Choose another name.")
    if out.is_dir() and not (out / BUILD).is_file() and any(path.name != WORK for path in out.iterdir()):
        raise OutputExistsError(
            f"`--out` must be an empty folder or an unfinished build, but `{out}` contains other files. "
            "Choose another folder."
        )


def is_complete(out: Path, identity: dict[str, Any]) -> bool:
    """Return True if `out` contains this build, complete.

    Raises:
        OutputExistsError: `out` contains another build.
    """
    recorded = _recorded(out)
    complete = recorded.pop("complete", False)
    if recorded and recorded != identity:
        changed = sorted(key for key in {*recorded, *identity} if recorded.get(key) != identity.get(key))
        raise OutputExistsError(
            f"`--out` must be an empty folder or the same build, but `{out}` was built with another "
            f"{', '.join(changed)}. Choose another folder, or use the tables and settings of that build."
        )
    return complete


def _recorded(out: Path) -> dict[str, Any]:
    try:
        return json.loads((out / BUILD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise OutputExistsError(
            f"`{out / BUILD}` must be the record of a build, but is not JSON. Choose another folder."
        ) from error


def lock(out: Path) -> AbstractContextManager[None]:
    """Lock the folder against a second build; see `x2x_core.common.run_folder.locked`."""
    refusal = f"`{out}` is being built by another process. Wait for it, or choose another folder."
    return locked(out / WORK / "lock.sqlite", refusal)


def prepare(out: Path, identity: dict[str, Any]) -> None:
    """Record the build in its folder, create the subfolders, and remove files left by an interruption."""
    scratch = scratch_folder(out)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    if not (out / BUILD).is_file():
        write_json(out / BUILD, {**identity, "complete": False}, scratch)
    for folder in (parts_folder(out), out / PAST, out / CURRENT, out / VALID):
        folder.mkdir(exist_ok=True)


def finish(out: Path, identity: dict[str, Any]) -> None:
    """Record that the build is complete."""
    write_json(out / BUILD, {**identity, "complete": True}, scratch_folder(out))


def remove_state(out: Path) -> None:
    """Remove the temporary files of a complete build."""
    shutil.rmtree(out / WORK, ignore_errors=True)
