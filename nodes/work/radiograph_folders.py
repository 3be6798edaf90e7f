"""Folders of radiographs: the bundled samples, and subfolders of ComfyUI's input folder."""

from __future__ import annotations

import os
from pathlib import Path

import folder_paths

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError
from x2x_core.imaging.kinds import SUFFIXES, is_radiograph_file

from ..choices import BUNDLED_SAMPLES


def folder_names() -> list[str]:
    """Return the subfolders of ComfyUI's input folder, at any depth, that hold radiographs, as `folder/folder`."""
    root = Path(folder_paths.get_input_directory())
    names = []
    for folder, subfolders, files in os.walk(root):
        subfolders.sort()
        if Path(folder) != root and any(is_radiograph_file(Path(folder, name)) for name in files):
            names.append(Path(folder).relative_to(root).as_posix())
    return names


def folder_files(folder: str, skip: int = 0, limit: int = 0) -> list[Path]:
    """Return the radiographs of a folder, sorted by name.

    Args:
        folder: `BUNDLED_SAMPLES`, or one of `folder_names`.
        skip: number of files to skip at the start.
        limit: maximum number of files; 0 for all.

    Raises:
        InputError: no file is left.
    """
    inputs = Path(folder_paths.get_input_directory())
    place = bundled_path("sample").parent if folder == BUNDLED_SAMPLES else inputs / folder
    files = sorted(path for path in place.iterdir() if is_radiograph_file(path))
    selected = files[skip : skip + limit if limit else None]
    if not selected:
        raise InputError(
            f"`folder` must hold more than `skip` radiographs, but {folder!r} holds {len(files)} and `skip` is {skip}. "
            f"Add files ({', '.join(SUFFIXES)}), or lower `skip`."
        )
    return selected
