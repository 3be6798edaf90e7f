"""Errors in a caller's input.

Whatever the caller can correct is raised as an `InputError`. The command line prints its message in one line and exits
with status 2; any other exception is a bug in this package and keeps its traceback. Subclasses also derive from the
matching built-in error, so that `except FileNotFoundError` works as usual.
"""

from __future__ import annotations


class InputError(ValueError):
    """An unusable argument or file.

    The message names the argument in backticks, what it must be, what it was, and what to do.
    """


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
