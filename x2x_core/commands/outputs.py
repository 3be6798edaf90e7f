"""Result folders and files: made, numbered, and never overwritten unless asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from x2x_core.common.errors import InputError, OutputExistsError, OutputNotAFolderError

if TYPE_CHECKING:
    from PIL.Image import Image


def fresh_folder(folder: Path, names: tuple[str, ...], overwrite: bool) -> Path:
    """Create the folder for results.

    Args:
        folder: its path; parents are created too.
        names: the files that will be written there.
        overwrite: whether files of these names may be replaced.

    Raises:
        OutputExistsError: one of `names` exists and `overwrite` is False.
        OutputNotAFolderError: `folder` is a file.
        InputError: the folder cannot be written.
    """
    if os.path.exists(folder) and not folder.is_dir():
        raise OutputNotAFolderError(f"`-o` must name a folder, but `{folder}` is a file. Give another name.")
    present = [name for name in names if os.path.exists(folder / name)]
    if present and not overwrite:
        raise OutputExistsError(
            f"`{folder}` already holds {present[0]}. Give another folder with -o, or add --overwrite to replace it."
        )
    _make_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"`-o` must be a folder that can be written, but `{folder}` is not. Give another folder.")
    return folder


def numbered_folder(parent: Path) -> Path:
    """Make the first of `parent/001`, `parent/002`, ... that does not exist, and return its path.

    Raises:
        OutputNotAFolderError: a file stands where a folder is needed.
        InputError: the place cannot be written.
    """
    _make_folder(parent)
    number = 1
    while True:
        folder = parent / f"{number:03d}"
        try:
            folder.mkdir()  # of two runs at one time, one gets it
        except FileExistsError:
            number += 1
        except OSError as error:
            raise _unwritable(folder, error) from error
        else:
            return folder


def fresh_file(path: Path, overwrite: bool) -> Path:
    """Return the path of a result file after creating its folder.

    Raises:
        OutputExistsError: the file exists and `overwrite` is False.
    """
    if os.path.exists(path) and not overwrite:
        raise OutputExistsError(
            f"`{path}` already exists. Give another name with -o, or add --overwrite to replace it."
        )
    _make_folder(path.parent)
    return path


def fresh_png(path: Path, overwrite: bool) -> Path:
    """Return the path of a PNG file to write, as `fresh_file` does.

    Raises:
        InputError: the name does not end in .png.
        OutputExistsError: the file exists and `overwrite` is False.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"The name of a picture must end in .png, got `{path}`. Give another name.")
    return fresh_file(path, overwrite)


def save_picture(path: Path, picture: Image, parameters: Mapping[str, Any], **options: Any) -> None:
    """Write a picture as `x2x_core.imaging.provenance.encode_picture` encodes it."""
    from x2x_core.imaging.provenance import encode_picture

    path.write_bytes(encode_picture(picture, parameters, **options))


def _make_folder(folder: Path) -> None:
    """Create a folder and its parents.

    Raises:
        OutputNotAFolderError: a file stands where a folder is needed.
        InputError: the place cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputNotAFolderError(
            f"`-o` must lie in folders, but a part of `{folder}` is a file. Give another name."
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"`-o` must be a place that can be written, but `{folder}` is not: {error.strerror}. Give another place."
    )
