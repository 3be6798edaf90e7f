"""Errors in a caller's input.

Whatever the caller can correct is raised as an `InputError`. The command line prints its message in one line and exits
with status 2; any other exception is a bug in this package and keeps its traceback. Subclasses also derive from the
matching built-in error, so that `except FileNotFoundError` works as usual.

Messages name arguments as Python does, in backticks: `mask_threshold`, `reference=True`. Whoever calls them otherwise,
as the command line does, renames them with `rename_arguments`. A name followed by "of" (`labels` of a scorer) is a part
of something else and stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ARGUMENT = re.compile(r"`([a-z_]+)(?:=([^`]+))?`(?! of )")

# From an argument's name and the value that the message gives it (or ``None``) to the words to write instead.
# ``None``: keep the name.
Rename = Callable[[str, str | None], str | None]


def rename_arguments(message: str, rename: Rename) -> str:
    """Return a message with the arguments that it names renamed."""

    def renamed(match: re.Match[str]) -> str:
        name = rename(match.group(1), match.group(2))
        return match.group() if name is None else f"`{name}`"

    return _ARGUMENT.sub(renamed, message)


class InputError(ValueError):
    """An unusable argument or file.

    The message names the argument in backticks, what it must be, what it was, and what to do.
    """

    def rename_arguments(self, rename: Rename) -> None:
        """Rename the arguments that the message names."""
        self.args = (rename_arguments(str(self), rename),)


class InputNotFoundError(InputError, FileNotFoundError):
    """A named file or folder does not exist, or is incomplete."""


class OutputExistsError(InputError, FileExistsError):
    """Writing would overwrite existing output."""


class OutputNotAFolderError(InputError, NotADirectoryError):
    """The path of the output folder is a file."""


class MissingExtraError(InputError, ImportError):
    """An optional dependency is missing; the message names the extra that installs it."""


class WorkerLostError(InputError, ChildProcessError):
    """A worker process was killed from outside, usually because memory ran out."""


def one_line(error: Exception) -> str:
    """Return the message of an error in one line without a full stop, or its type if it has none."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
