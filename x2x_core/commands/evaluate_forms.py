"""Forms of `x2x evaluate`: options that a command does not use are refused, forms of version 0.1 are translated.

Until version 0.1 one command had four meanings, chosen by flags: `x2x evaluate DATASET`, `x2x evaluate --simulated`,
and this with `--benchmark` or `--ablation`. These forms work with a warning until `REMOVED_IN`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import typer

from x2x_core._moved import REMOVED_IN
from x2x_core.common.errors import InputError

DATASET = "dataset"
# Flags that chose the meaning; of several the first decides.
FLAGS = {"--benchmark": "benchmark", "--ablation": "ablation", "--simulated": "simulated"}
HELP = "--help"


class Command(Protocol):
    """A command as click and typer's copy of click define it."""

    @property
    def params(self) -> Sequence[Any]:
        """Parameters with `opts`, `secondary_opts` and, for options, `is_flag`."""


def check_and_translate(arguments: Sequence[str], commands: Mapping[str, Command]) -> list[str]:
    """Return the arguments of `x2x evaluate` in their new form.

    Args:
        arguments: as given, after `x2x evaluate`.
        commands: the commands of `x2x evaluate` by name.

    Raises:
        InputError: an option that the command does not use, or old flags that contradict each other.
    """
    if not arguments or HELP in arguments:
        return list(arguments)
    syntax = _Syntax(commands)
    if arguments[0] in commands and not _is_folder_called_dataset(arguments, syntax):
        syntax.check(arguments[0], arguments[1:])
        return list(arguments)
    translated = _translate(arguments, syntax)
    syntax.check(translated[0], translated[1:])
    typer.secho(
        f"x2x: this form of `x2x evaluate` is deprecated and ends with version {REMOVED_IN}; use "
        f"`x2x evaluate {shlex.join(translated)}`.",
        err=True,
    )
    return translated


def _is_folder_called_dataset(arguments: Sequence[str], syntax: _Syntax) -> bool:
    """Return True for the old form `x2x evaluate dataset ...` in which "dataset" is a folder."""
    if arguments[0] != DATASET or not Path(DATASET).is_dir():
        return False
    return not any(value is not None for option, value in syntax.split(arguments[1:]) if option is None)


def _translate(arguments: Sequence[str], syntax: _Syntax) -> list[str]:
    flags = [flag for flag in FLAGS if flag in arguments]
    rest = [argument for argument in arguments if argument not in FLAGS]
    if "--benchmark" in flags and "--ablation" in flags:
        raise InputError("`--benchmark` and `--ablation` cannot be combined. Run `x2x evaluate` once for each.")
    positional = [value for option, value in syntax.split(rest) if option is None]
    if flags:
        if positional:
            raise InputError(
                f"`DATASET` cannot be combined with `{flags[0]}`, got {positional[0]!r}. Leave it out; `--data` takes "
                "a folder of simulated pairs."
            )
        return [FLAGS[flags[0]], *rest]
    if not positional:
        raise InputError(f"`x2x evaluate` requires a command: {', '.join(syntax.commands)}.")
    return [DATASET, *rest]


class _Syntax:
    """Options of the commands: which command has which, and which of them take a value."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self.commands = commands
        self.takes_value: dict[str, bool] = {}
        self.owners: dict[str, list[str]] = {}
        for command, option, takes_value in _options(commands):
            self.takes_value[option] = takes_value
            self.owners.setdefault(option, []).append(command)

    def split(self, arguments: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
        """Yield options with their values, and positional arguments with ``None`` for the option."""
        waiting = iter(arguments)
        for argument in waiting:
            if argument == "--":
                yield from ((None, positional) for positional in waiting)
            elif not argument.startswith("-") or argument == "-":
                yield None, argument
            elif argument.startswith("--"):
                option, assigned, value = argument.partition("=")
                yield option, value if assigned else next(waiting, None) if self.takes_value.get(option) else None
            else:
                option, value = argument[:2], argument[2:]
                yield option, value or (next(waiting, None) if self.takes_value.get(option) else None)

    def check(self, command: str, arguments: Sequence[str]) -> None:
        """Refuse options of other commands; unknown ones are left to the parser.

        Raises:
            InputError: an option of another command.
        """
        for option, _ in self.split(arguments):
            owners = self.owners.get(option or "", [])
            if owners and command not in owners:
                raise InputError(
                    f"`{option}` is not an option of `x2x evaluate {command}`, only of "
                    f"{' and '.join(f'`{owner}`' for owner in owners)}. Leave it out."
                )


def _options(commands: Mapping[str, Command]) -> Iterator[tuple[str, str, bool]]:
    """Yield command, option, and True if the option takes a value."""
    for name, command in commands.items():
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                if option.startswith("-"):
                    yield name, option, not getattr(parameter, "is_flag", False)
