"""The settings that a checkpoint recommends: the entry "recommended" of its pipeline's config.

Checkpoints saved before version 0.2 have an entry "recommended_<name>" for each setting instead. Those are read too;
saving writes the new form.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from x2x_core._moved import REMOVED_IN
from x2x_core.common.errors import InputError
from x2x_core.common.values import Check

ENTRY = "recommended"
_OLD_PREFIX = "recommended_"


def recommendations_of(config: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """Return the recommended settings of a config, in the new form or the old.

    Args:
        config: a pipeline's config, or the contents of its `model_index.json`.
        checks: settings that can be recommended, with the check of each; see `x2x_core.edit.settings.RECOMMENDABLE`.

    Raises:
        InputError: `recommended` is not a mapping, or names something else, or a value is out of range.
    """
    entry = config.get(ENTRY)
    if entry is not None and not isinstance(entry, Mapping):
        raise InputError(f"`recommended` must map names of settings to values, got {type(entry).__name__}.")
    recommended = {**_old_entries(config), **(entry or {})}
    unknown = [name for name in recommended if name not in checks]
    if unknown:
        raise InputError(
            f"`recommended` must name some of {', '.join(checks)}, got {unknown[0]!r}. If the checkpoint is newer than "
            "this package, update the package."
        )
    given = {name: value for name, value in recommended.items() if value is not None}
    for name, value in given.items():
        try:
            checks[name](name, value)
        except InputError as error:
            raise InputError(str(error).replace(" must ", " of `recommended` must ", 1)) from None
    return given


def _old_entries(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix(_OLD_PREFIX): value
        for name, value in config.items()
        if name.startswith(_OLD_PREFIX) and value is not None
    }


def translate_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config whose recommendations are in the new form."""
    old = _old_entries(config)
    kept = {name: value for name, value in config.items() if not name.startswith(_OLD_PREFIX)}
    entry = kept.get(ENTRY) or {}
    if not old or not isinstance(entry, Mapping):  # another type is refused by `recommendations_of`
        return kept
    return {**kept, ENTRY: {**old, **entry}}


def take_old_keywords(keywords: dict[str, Any]) -> dict[str, Any]:
    """Remove the deprecated keywords "recommended_<name>" from `keywords`, with a warning.

    Returns:
        Their settings, by name.
    """
    old = _old_entries(keywords)
    for name in [name for name in keywords if name.startswith(_OLD_PREFIX)]:
        del keywords[name]
    if old:
        example = next(iter(old))
        warnings.warn(
            f"`{_OLD_PREFIX}{example}` is deprecated: pass `recommended={{{example!r}: ...}}`. The old keyword ends "
            f"with version {REMOVED_IN}.",
            FutureWarning,
            stacklevel=3,
        )
    return old
