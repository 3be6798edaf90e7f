"""Typer applications whose commands name options in messages, where the library names arguments of Python."""

from __future__ import annotations

import ast
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand

from x2x_core.common.errors import InputError, Rename, rename_arguments

from .groups import spread_groups

# Arguments of the library whose parameter of a command has another name.
PARAMETERS = {"num_inference_steps": "steps", "generator": "seed", "version": "schema"}


class Command(TyperCommand):
    """A command: its errors and warnings name the options that the user can type."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            InputError: as the command does, with the options' names.
        """
        names = option_names(ctx)
        with _plain_warnings(names):
            try:
                return super().invoke(ctx)
            except InputError as error:
                error.rename_arguments(names)
                raise


class App(typer.Typer):
    """A Typer application of `Command`."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Register a command, as `typer.Typer.command` does; see `spread_groups` for what its parameters may be."""
        register = super().command(name, **{"cls": Command, **settings})
        return lambda command: register(spread_groups(command))


def option_names(ctx: Any) -> Rename:
    """Return the function from arguments of Python to the options of the command that runs.

    Names without an option stay, and so does a name that is also a value of this run: in "`data` already exists" it can
    be the user's file.

    Args:
        ctx: the context of a command, with its parameters' values.
    """
    parameters = {own.name: own for own in ctx.command.params if own.param_type_name == "option"}
    values = {str(value) for value in ctx.params.values()}

    def rename(name: str, value: str | None) -> str | None:
        parameter = parameters.get(PARAMETERS.get(name, name))
        if parameter is None or (value is None and name in values):
            return None
        option = max(parameter.opts, key=len)
        if value is None or value == "True":
            return option
        if value == "False":
            return max(parameter.secondary_opts, key=len, default=None)
        return f"{option} {_plain(value)}"

    return rename


def _plain(value: str) -> str:
    """Return a Python literal as it is typed on the command line."""
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value


def print_line(text: str) -> None:
    """Print a message on standard error."""
    typer.secho(f"x2x: {text}", err=True)


class _PlainLines(logging.Handler):
    """Print warnings of this package as plain lines on standard error, equal ones in a row once."""

    def __init__(self, names: Rename) -> None:
        super().__init__(logging.WARNING)
        self._names, self._last = names, ""

    def emit(self, record: logging.LogRecord) -> None:
        message = rename_arguments(record.getMessage(), self._names)
        if message != self._last:
            print_line(message)
        self._last = message


@contextmanager
def _plain_warnings(names: Rename) -> Iterator[None]:
    """Print the package's warnings as plain lines while the context is open."""
    logger = logging.getLogger("x2x_core")
    handler, propagate = _PlainLines(names), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


@contextmanager
def warnings_kept_back() -> Iterator[None]:
    """Print no warnings while the context is open; for commands that record them."""
    logger = logging.getLogger("x2x_core")
    printing = [handler for handler in logger.handlers if isinstance(handler, _PlainLines)]
    for handler in printing:
        handler.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for handler in printing:
            handler.setLevel(logging.WARNING)
