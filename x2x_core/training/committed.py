"""The training configurations that ship, by name. Light to import: the command line lists them in its help."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "configs"


def committed_path(name: str) -> Path:
    """Where a configuration of this name lies, if there is one."""
    return _FOLDER / f"{name}.yaml"


def committed_names() -> list[str]:
    """The names, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))
