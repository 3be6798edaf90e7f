"""Groups of options that several commands share: a dataclass whose fields are the options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def spread_groups(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command: a parameter whose type is a dataclass becomes the options that are its fields.

    The dataclass may check its options in `__post_init__`. A command without such parameters is returned as it is.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hints[name] for name in inspect.signature(command).parameters if is_dataclass(hints[name])}
    if not groups:
        return command

    @wraps(command)
    def spread(**options: Any) -> Any:
        made = {
            name: group(**{option.name: options.pop(option.name) for option in fields(group)})
            for name, group in groups.items()
        }
        return command(**options, **made)

    parameters = list(_parameters(command, hints, groups))
    spread.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spread.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return spread


def _parameters(
    command: Callable[..., Any], hints: dict[str, Any], groups: dict[str, type]
) -> Iterator[inspect.Parameter]:
    """Yield the parameters of a command, with the fields of a group in its place."""
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in groups:
            yield parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            continue
        own = get_type_hints(groups[name], include_extras=True)
        for option in fields(groups[name]):
            default = inspect.Parameter.empty if option.default is MISSING else option.default
            yield inspect.Parameter(
                option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=own[option.name]
            )
