"""The folder of a run that can be stopped: new, or claimed again by the very same run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError


def claim(
    out: Path, record: str, settings: Mapping[str, Any], *, run: str = "run", other: str = "holds another"
) -> None:
    """Make the folder of a run and record what decides its results, or see that what lies there is this very run.

    Args:
        out: the folder.
        record: the file in it that records the settings, as JSON.
        settings: what decides the results.
        run: what the run is called in messages.
        other: what is said of a folder with other settings; "{changed}" in it stands for their names.

    Raises:
        InputError: another run, or other files, lie there.
    """
    settings = json.loads(json.dumps(settings))  # as it is read back
    recorded = out / record
    wanted = f"`out` must be an empty folder or hold this very {run}"
    if recorded.is_file():
        found = json.loads(recorded.read_text(encoding="utf-8"))
        if found != settings:
            changed = sorted(name for name in {*found, *settings} if found.get(name) != settings.get(name))
            raise InputError(
                f"{wanted}, but `{out}` {other.format(changed=', '.join(changed))}. Choose another folder."
            )
        return
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"{wanted}, but `{out}` holds other files. Choose another folder.")
    out.mkdir(parents=True, exist_ok=True)
    recorded.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
