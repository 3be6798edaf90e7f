"""Validation errors of a configuration as one sentence: the field, what it must be, and what it was."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from x2x_core.common.errors import InputError

_MAX_SHOWN = 60  # characters of a refused value


def first_error(model: type[BaseModel], error: ValidationError) -> str:
    """Return the first validation error as a sentence.

    Args:
        model: the record that refused its values.
        error: pydantic's error.
    """
    details = error.errors(include_url=False)[0]
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, InputError):  # raised by a check of ours
        return str(cause)
    path = [part for part in details["loc"] if not _is_tag(part)]
    name = ".".join(str(part) for part in path if isinstance(part, str))
    if details["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"`{name}` is not a field of the configuration. {_known(model, path[:-1])}"
    if details["type"] in ("missing", "missing_argument"):
        return f"`{name}` is required: set it to {describe(_annotation(model, path))}."
    return f"`{name}` must be {describe(_annotation(model, path))}, got {_shown(details['input'])}."


def describe(annotation: Any) -> str:
    """Return what a value of an annotated type must be, as the object of a sentence."""
    if len(options := _options(annotation)) > 1:
        return ", or ".join(describe(option) for option in options)
    kind, metadata = _unwrap(annotation)
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is tuple:
        shortest = _limit(metadata, "min_length")
        length = f" of at least {shortest}" if shortest else ""
        return f"a list{length}, each {describe(get_args(kind)[0])}"
    if kind is str:
        return "text that is not empty" if _limit(metadata, "min_length") else "text"
    if kind in (int, float):
        return " ".join(["a whole number" if kind is int else "a number", *_range(metadata)])
    return "true or false" if kind is bool else "a mapping of fields"


def _limit(metadata: Iterable[Any], name: str) -> Any:
    """Return a limit by the name that pydantic's `Field` gives it, or ``None``."""
    return next((getattr(item, name) for item in metadata if hasattr(item, name)), None)


def _range(metadata: Iterable[Any]) -> list[str]:
    """Return the limits of a number as words."""
    bounds = {
        name: getattr(item, name) for item in metadata for name in ("ge", "gt", "le", "lt") if hasattr(item, name)
    }
    multiple = _limit(metadata, "multiple_of")
    words = []
    lower = bounds.get("ge", bounds.get("gt"))
    upper = bounds.get("le", bounds.get("lt"))
    if lower is not None and upper is not None:
        words.append(f"in {'[' if 'ge' in bounds else '('}{lower}, {_short(upper)}{']' if 'le' in bounds else ')'}")
    elif lower is not None:
        words.append(f"of at least {lower}" if "ge" in bounds else f"above {lower}")
    return words if multiple is None else [*words, f"that is a multiple of {multiple}"]


def _short(number: float) -> str:
    """Return a limit as people write it: 1/3 and not 0.3333333333333333."""
    fraction = Fraction(number).limit_denominator(99)
    return str(fraction) if float(fraction) == number else str(number)


def _annotation(model: type[Any], path: Sequence[str | int]) -> Any:
    """Return the annotated type at a path of field names and indices."""
    current: Any = model
    for part in path:
        kind, _ = _unwrap(current)
        current = get_args(kind)[0] if isinstance(part, int) else _field_types(kind)[part]
    return current


def _field_types(record: Any) -> Mapping[str, Any]:
    """Return the annotated types of the fields of a pydantic model or a dataclass."""
    if is_dataclass(record):
        return get_type_hints(record, include_extras=True)
    return {name: _annotated(info) for name, info in record.model_fields.items()}


def _annotated(info: FieldInfo) -> Any:
    return Annotated[info.annotation, *info.metadata, None]


def _unwrap(annotation: Any) -> tuple[Any, list[Any]]:
    """Split an annotation into its plain type, without ``None``, and its metadata."""
    metadata: list[Any] = []
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            for item in more:
                metadata += item.metadata if isinstance(item, FieldInfo) else [item]
        elif get_origin(annotation) in (Union, types.UnionType):
            annotation = next(option for option in get_args(annotation) if option is not type(None))
        else:
            return annotation, metadata


def _options(annotation: Any) -> list[Any]:
    """Return the types of a union, without ``None``; of any other annotated type, the type alone."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (Union, types.UnionType):
        return [annotation]
    return [option for option in get_args(annotation) if option is not type(None)]


def _known(model: type[Any], parents: Sequence[str | int]) -> str:
    record, _ = _unwrap(_annotation(model, parents))
    names = [entry.name for entry in fields(record)] if is_dataclass(record) else list(record.model_fields)
    return f"Its fields are {', '.join(sorted(names))}." if not parents else f"`{parents[-1]}` has {', '.join(names)}."


def _is_tag(part: str | int) -> bool:
    """Return True for a part of a location that names a validator and not a field."""
    return isinstance(part, str) and not part.isidentifier()


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
