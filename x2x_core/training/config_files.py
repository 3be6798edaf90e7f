"""Configuration files: YAML files of the user's, and those that ship with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from x2x_core.common.errors import InputError, InputNotFoundError

from .config import TrainingConfig
from .shipped_configs import shipped_config_names, shipped_config_path


def load_config(path: str | Path, **overrides: Any) -> TrainingConfig:
    """Read a configuration from a YAML file.

    Relative folders in the file are relative to the working directory.

    Args:
        path: the file.
        overrides: fields that replace those of the file, except where ``None``.

    Raises:
        InputNotFoundError: the file does not exist.
        InputError: the file is not a YAML mapping, or a field is not valid.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There is no configuration at `{path}`.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"`{path}` must be YAML: {error}.") from error
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise InputError(f"`{path}` must be a YAML mapping of the fields of a training run.")
    values |= {name: value for name, value in overrides.items() if value is not None}
    return TrainingConfig(**values)


def find_config(name: str | Path) -> Path:
    """Return the path of a configuration: a file, or one that ships with the package, by name ("demo").

    Raises:
        InputNotFoundError: there is neither; the message lists those that ship.
    """
    for path in (Path(name), shipped_config_path(str(name))):
        if path.is_file():
            return path
    names = ", ".join(shipped_config_names())
    raise InputNotFoundError(f"`--config` must name a YAML file or one of {names}, but there is no `{name}`.")
