"""Folders of radiographs: the samples that ship, and those in ComfyUI's input folder."""

from __future__ import annotations

import os
from pathlib import Path

import folder_paths

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError
from x2x_core.imaging.kinds import DICOM_SUFFIXES, PICTURE_SUFFIXES, is_radiograph_file

from ..load_folder import SAMPLES


def folder_names() -> list[str]:
    """Folders below ComfyUI's input folder that hold radiographs themselves, as `folder/folder`."""
    root = Path(folder_paths.get_input_directory())
    found = []
    for place, below, files in os.walk(root):
        below.sort()
        if Path(place) != root and any(is_radiograph_file(Path(place, name)) for name in files):
            found.append(Path(place).relative_to(root).as_posix())
    return found


def folder_files(folder: str, skip: int = 0, limit: int = 0) -> list[Path]:
    """The radiographs of a folder, by name.

    Args:
        folder: `SAMPLES`, or one of `folder_names`.
        skip: files to leave out at the beginning.
        limit: files at most; 0 for all.

    Raises:
        InputError: none is left.
    """
    place = bundled_path("sample").parent if folder == SAMPLES else Path(folder_paths.get_input_directory()) / folder
    every = sorted(one for one in place.iterdir() if is_radiograph_file(one))
    kept = every[skip : skip + limit if limit else None]
    if not kept:
        raise InputError(
            f"`folder` must hold more radiographs than `skip` leaves out; {folder!r} holds {len(every)} and {skip} are "
            f"left out. Put files ({', '.join((*PICTURE_SUFFIXES, *DICOM_SUFFIXES))}) into it, or lower `skip`."
        )
    return kept
