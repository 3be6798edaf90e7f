"""Folder of a run that can be stopped: new, or claimed again by the same run."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError


def claim_folder(
    out: Path,
    record: str,
    settings: Mapping[str, Any],
    *,
    run: str = "run",
    conflict: str = "holds another",
    beside: Collection[str] = (),
) -> None:
    """Make the folder of a run and record its settings, or check that it holds this very run.

    Args:
        out: the folder.
        record: name of the JSON file in it that records the settings.
        settings: everything that decides the results.
        run: name of the run in messages.
        beside: names of files and folders that may lie there already.
        conflict: what messages say of a folder with other settings; "{changed}" in it is replaced by their names.

    Raises:
        InputError: the folder holds another run, or other files.
    """
    settings = json.loads(json.dumps(settings))  # as it is read back
    path = out / record
    requirement = f"`out` must be an empty folder or hold this very {run}"
    if path.is_file():
        recorded = json.loads(path.read_text(encoding="utf-8"))
        if recorded != settings:
            changed = sorted(name for name in {*recorded, *settings} if recorded.get(name) != settings.get(name))
            raise InputError(
                f"{requirement}, but `{out}` {conflict.format(changed=', '.join(changed))}. Choose another folder."
            )
        return
    if out.is_dir() and any(path.name not in beside for path in out.iterdir()):
        raise InputError(f"{requirement}, but `{out}` holds other files. Choose another folder.")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
