"""Training configurations that ship with the package, by name; quick to import for the command line's help."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "configs"


def shipped_config_path(name: str) -> Path:
    """Return the path at which a configuration of this name would be."""
    return _FOLDER / f"{name}.yaml"


def shipped_config_names() -> list[str]:
    """Return the names of all shipped configurations, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))
