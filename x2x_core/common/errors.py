"""Errors for input that cannot be used.

Everything that a caller can put right is raised as an `InputError`. The command line prints its message as one line and
exits with 2; every other exception is a fault of this package and keeps its traceback. Subclasses also derive from the
built-in error that fits, so that ``except FileNotFoundError`` works as usual.
"""

from __future__ import annotations


class InputError(ValueError):
    """An argument or a file of the caller's cannot be used.

    The message names the argument in backticks, what it must be, what it was, and what to do.
    """


class InputNotFoundError(InputError, FileNotFoundError):
    """A file or folder that the caller named does not exist, or lacks a part."""


class OutputExistsError(InputError, FileExistsError):
    """Writing would replace something that is already there."""


class OutputNotAFolderError(InputError, NotADirectoryError):
    """The output folder's name belongs to a file."""


class MissingExtraError(InputError, ImportError):
    """An optional dependency is missing; the message names the extra that installs it."""


class WorkerLostError(InputError, ChildProcessError):
    """A worker process was killed from outside, usually for lack of memory."""
