"""Signatures and docstrings of the public calls, made from the definitions of their arguments.

Type checkers and editors read the `TypedDict` of a call. `inspect.signature`, on which diffusers relies, and `help()`
get the same names from here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from .arguments import CallArguments, CallKwargs, names_of
from .settings import DEFAULT, EditSettings

Call = TypeVar("Call", bound=Callable[..., Any])

# The entry of a static docstring in whose place the arguments are documented.
PLACEHOLDER = "arguments"
_ENTRY = re.compile(r"^    (\w+): ")


def public_call(arguments: CallKwargs) -> Callable[[Call], Call]:
    """Decorate a public call: give it the signature and the documentation of its keyword arguments."""

    def decorate(function: Call) -> Call:
        function.__signature__ = _signature(function, arguments)  # type: ignore[attr-defined]
        function.__doc__ = _document(function.__doc__ or "", arguments)
        return function

    return decorate


def hide_keywords(function: Call) -> Call:
    """Decorate a constructor: hide ``**keywords`` from `inspect.signature`; diffusers would take them for a part."""
    signature = inspect.signature(function)
    shown = [own for own in signature.parameters.values() if own.kind is not inspect.Parameter.VAR_KEYWORD]
    function.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    return function


def documented_arguments(docstring: str) -> dict[str, str]:
    """Return the entries of a docstring's "Args:" section by name, each as its lines, indented by four."""
    lines = inspect.cleandoc(docstring).splitlines()
    entries: dict[str, list[str]] = {}
    name = None
    for line in lines[lines.index("Args:") + 1 :]:
        start = _ENTRY.match(line)
        if start:
            name = start.group(1)
            entries[name] = []
        if not line.startswith("    ") or name is None:
            break
        entries[name].append(line)
    return {name: "\n".join(own) for name, own in entries.items()}


def documented_fields(definition: type) -> dict[str, str]:
    """Return the entries of all fields of a dataclass by name, each from the docstring of the class that defines it."""
    documented: dict[str, str] = {}
    for own in reversed(definition.__mro__[:-1]):  # all but `object`
        documented |= documented_arguments(own.__doc__ or "")
    return documented


def _signature(function: Callable[..., Any], arguments: CallKwargs) -> inspect.Signature:
    """Return `(self, image, prompt, *, ...)` with the defaults of the arguments' definitions."""
    defaults = {argument.name: argument.default for argument in fields(CallArguments)}
    defaults["reference"] = DEFAULT.reference  # the default of all other settings is None: as recommended
    hints = get_type_hints(arguments)
    leading = [
        inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        inspect.Parameter("image", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Any),
        inspect.Parameter("prompt", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Any),
    ]
    keywords = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults.get(name),
            annotation=hints[name],
        )
        for name in names_of(arguments)
    ]
    returns = function.__annotations__.get("return", inspect.Signature.empty)
    return inspect.Signature([*leading, *keywords], return_annotation=returns)


def _document(docstring: str, arguments: CallKwargs) -> str:
    """Return a docstring with the documentation of each argument in place of the entry `PLACEHOLDER`."""
    text = inspect.cleandoc(docstring)
    known = documented_fields(EditSettings) | documented_fields(CallArguments)
    entries = "\n".join(known[name] for name in names_of(arguments))
    return text.replace(documented_arguments(text)[PLACEHOLDER], entries)
