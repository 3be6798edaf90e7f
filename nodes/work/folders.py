"""Checkpoints, masks and radiographs on this machine, through ComfyUI's own list of folders."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import folder_paths

from x2x_core.common.checkpoint_layout import MODEL_INDEX
from x2x_core.imaging.kinds import is_radiograph_file

from ..choices import DEMO, LANDSCAPE, SAMPLE

logger = logging.getLogger(__name__)

MODEL_FOLDER = "instructx2x"
SINGLE_FILES = (".safetensors", ".ckpt")
# ComfyUI's kinds of model folder in which checkpoints in diffusers layout are looked for.
_FOLDER_KINDS = (MODEL_FOLDER, "diffusers", "checkpoints")


def add_model_folder() -> None:
    """Register `models/instructx2x` with ComfyUI."""
    if MODEL_FOLDER not in folder_paths.folder_names_and_paths:
        folder_paths.add_model_folder_path(MODEL_FOLDER, os.path.join(folder_paths.models_dir, MODEL_FOLDER))


def add_samples() -> None:
    """Copy the bundled pictures of the workflows to ComfyUI's input folder unless they are there."""
    from x2x_core.common.bundled import bundled_path

    for bundled, name in (("sample", SAMPLE), ("landscape", LANDSCAPE)):
        target = Path(folder_paths.get_input_directory()) / name
        if target.exists():
            continue
        try:
            shutil.copyfile(bundled_path(bundled), target)
        except OSError as error:
            logger.warning("InstructX2X: could not copy %s to the input folder: %s", name, error)


def _roots(kind: str) -> list[Path]:
    if kind not in folder_paths.folder_names_and_paths:
        return []
    return [Path(root) for root in folder_paths.get_folder_paths(kind) if os.path.isdir(root)]


def checkpoint_places() -> dict[str, Path | None]:
    """Return the path of every checkpoint by its name in the menu; ``None`` for the bundled demo."""
    places: dict[str, Path | None] = {DEMO: None}
    for kind in _FOLDER_KINDS:
        for root in _roots(kind):
            for folder in _diffusers_folders(root):
                places.setdefault(f"{kind}/{folder.relative_to(root).as_posix()}", folder)
    for name in folder_paths.get_filename_list("checkpoints"):
        if name.endswith(SINGLE_FILES) and not _is_part_of_a_folder(name):
            path = folder_paths.get_full_path("checkpoints", name)
            if path is not None:
                places.setdefault(f"checkpoints/{Path(name).as_posix()}", Path(path))
    return places


def _diffusers_folders(root: Path) -> list[Path]:
    """Return the folders under `root`, at any depth, that hold a checkpoint in diffusers layout, sorted."""
    folders = []
    for folder, subfolders, files in os.walk(root, followlinks=True):
        subfolders.sort()
        if MODEL_INDEX in files and Path(folder) != root:
            folders.append(Path(folder))
            subfolders.clear()
    return folders


def _is_part_of_a_folder(name: str) -> bool:
    """Return True if a file under `checkpoints` belongs to a checkpoint in diffusers layout."""
    parents = [parent for parent in Path(name).parents if parent != Path()]
    return any((root / parent / MODEL_INDEX).is_file() for root in _roots("checkpoints") for parent in parents)


def input_files(suffixes: tuple[str, ...]) -> list[str]:
    """Return the names of files with one of these suffixes in ComfyUI's input folder."""
    folder = Path(folder_paths.get_input_directory())
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if entry.is_file() and entry.suffix.lower() in suffixes)


def input_radiographs() -> list[str]:
    """Return the names of pictures and DICOM files in ComfyUI's input folder."""
    folder = Path(folder_paths.get_input_directory())
    return sorted(entry.name for entry in folder.iterdir() if is_radiograph_file(entry)) if folder.is_dir() else []


def diffusers_places() -> dict[str, Path]:
    """Return the folder of every checkpoint in diffusers layout, including the demo, by its name in the menu."""
    from x2x_core.common.bundled import bundled_path

    places = {name: path or bundled_path("demo") for name, path in checkpoint_places().items()}
    return {name: path for name, path in places.items() if path.is_dir()}
