"""Paths of this machine and of elsewhere: "s3://bucket/a.png", "zip://a.png::archive.zip", through fsspec."""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from x2x_core.common.errors import InputError, MissingExtraError, one_line

_SCHEME, _CHAIN, _FILE = "://", "::", "file://"


def is_remote(place: str) -> bool:
    """Return True for a place that is reached through fsspec: a URL other than `file://`."""
    return _SCHEME in place and not (place.startswith(_FILE) and _CHAIN not in place)


def local_path(place: str) -> Path:
    """Return the path of a place on this machine, also of one written as `file://`."""
    if not place.startswith(_FILE):
        return Path(place).expanduser()
    return Path(unquote(urlparse(place).path))


def file_system(place: str) -> tuple[Any, str]:
    """Return the file system of a remote place, and the path in it.

    Raises:
        MissingExtraError: the library that the scheme needs is not installed.
        InputError: an unknown scheme, or a place that cannot be reached.
    """
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(place)
    except ImportError as error:
        raise MissingExtraError(f"`{place}` cannot be reached: {error}.") from error
    except (ValueError, OSError) as error:
        raise InputError(f"`{place}` must be a path or a URL that fsspec can open: {error}.") from error
    return system, path


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Turn errors of a store's library into one of the caller's: each library has classes of its own.

    Raises:
        InputError: the store cannot be reached, or refuses.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"`{place}` cannot be reached: {one_line(error)}. Check the address, the network and the credentials of "
            "this environment."
        ) from error


def kind_of(system: Any, path: str) -> str | None:
    """Return "file" or "directory", ``None`` if there is nothing.

    `system.exists` and `system.isfile` of many libraries say of a store that does not answer that nothing is there.
    """
    try:
        return str(system.info(path)["type"])
    except (FileNotFoundError, NotADirectoryError):
        return None


def joined(folder: str, name: str) -> str:
    """Return the place of a file that a table in `folder` names: relative names are relative to it."""
    if is_remote(name) or name.startswith(_FILE):
        return name
    if not is_remote(folder):
        return str(local_path(folder) / Path(name).expanduser())
    head, chain, rest = folder.partition(_CHAIN)
    scheme, separator, path = head.partition(_SCHEME)
    path = f"{path.rstrip('/')}/{name}" if path else name  # "" is the root of an archive
    if {".", ".."} & set(name.split("/")):
        path = posixpath.normpath(path)
    return f"{scheme}{separator}{path}{chain}{rest}"


def folder_of(place: str) -> str:
    """Return the folder that a file lies in."""
    if not is_remote(place):
        return str(local_path(place).parent)
    head, chain, rest = place.partition(_CHAIN)
    scheme, separator, path = head.partition(_SCHEME)
    return f"{scheme}{separator}{posixpath.dirname(path)}{chain}{rest}"


def exists(place: str) -> bool:
    """Return True if there is a file.

    Raises:
        InputError: the store cannot be reached.
    """
    if not is_remote(place):
        return os.path.isfile(local_path(place))
    with reaching(place):
        return kind_of(*file_system(place)) == "file"


def read_bytes(place: str) -> bytes:
    """Read a file.

    Raises:
        InputError: it cannot be read.
    """
    with reaching(place):
        try:
            if not is_remote(place):
                return local_path(place).read_bytes()
            system, path = file_system(place)
            return bytes(system.cat_file(path))
        except OSError as error:
            raise InputError(f"`{place}` must be a file that can be read, but is not: {error}.") from error


@contextmanager
def on_this_machine(place: str) -> Iterator[Path]:
    """Yield the path of a file on this machine: its own, or that of a copy for as long as the block runs.

    Raises:
        InputError: it cannot be read.
    """
    if not is_remote(place):
        yield local_path(place)
        return
    with tempfile.TemporaryDirectory(prefix="x2x-") as folder:
        copy = Path(folder) / (os.path.basename(place.partition(_CHAIN)[0].rstrip("/")) or "image")
        copy.write_bytes(read_bytes(place))
        yield copy
