"""Imports of optional dependencies: one sentence for a library that an extra of the package installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import MissingExtraError


@contextmanager
def needs_extra(purpose: str, library: str, extra: str) -> Iterator[None]:
    """Turn a failing import inside the block into an error that names the extra to install.

    Example::

        with needs_extra("Registering images", "SimpleITK", "dataset"):
            import SimpleITK

    Args:
        purpose: what the library is needed for, as the subject of a sentence.
        library: its name, for people.
        extra: the extra of the package that installs it.

    Raises:
        MissingExtraError: an import inside the block fails.
    """
    try:
        yield
    except ImportError as error:
        raise missing_extra(purpose, library, extra) from error


def missing_extra(purpose: str, library: str, extra: str) -> MissingExtraError:
    """Return the error for a missing library; the arguments are those of `needs_extra`."""
    return MissingExtraError(f"{purpose} needs {library}: install the extra with `pip install 'instructx2x[{extra}]'`.")
