"""Where checkpoints and masks are on this machine, through ComfyUI's own folder list."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import folder_paths

from x2x_core.common.checkpoint_layout import MODEL_INDEX
from x2x_core.imaging.kinds import is_radiograph_file

logger = logging.getLogger(__name__)

DEMO = "demo (bundled)"
SAMPLE = "instructx2x-sample.png"  # in ComfyUI's input folder, so that the page, its mask editor too, can open it
MODEL_FOLDER = "instructx2x"
SINGLE_FILES = (".safetensors", ".ckpt")
# ComfyUI's kinds of model folder that can hold a checkpoint as a folder.
_FOLDER_KINDS = (MODEL_FOLDER, "diffusers", "checkpoints")


def add_model_folder() -> None:
    """Tell ComfyUI of `models/instructx2x`, once."""
    if MODEL_FOLDER not in folder_paths.folder_names_and_paths:
        folder_paths.add_model_folder_path(MODEL_FOLDER, os.path.join(folder_paths.models_dir, MODEL_FOLDER))


def add_sample() -> None:
    """Put the sample that ships into ComfyUI's input folder, where it is not there yet."""
    from x2x_core.common.bundled import bundled_path

    place = Path(folder_paths.get_input_directory()) / SAMPLE
    if place.exists():
        return
    try:
        shutil.copyfile(bundled_path("sample"), place)
    except OSError as error:
        logger.warning("InstructX2X: the sample radiograph can't be put into the input folder: %s", error)


def _roots(kind: str) -> list[Path]:
    if kind not in folder_paths.folder_names_and_paths:
        return []
    return [Path(root) for root in folder_paths.get_folder_paths(kind) if os.path.isdir(root)]


def checkpoint_places() -> dict[str, Path | None]:
    """Every checkpoint by the name that the menu shows; ``None``: the one that ships."""
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
    """Folders under `root` that hold a checkpoint in diffusers layout, nested ones too, in alphabetical order."""
    found = []
    for folder, below, files in os.walk(root, followlinks=True):
        below.sort()
        if MODEL_INDEX in files and Path(folder) != root:
            found.append(Path(folder))
            below.clear()
    return found


def _is_part_of_a_folder(name: str) -> bool:
    """Whether a file under `checkpoints` is a part of a checkpoint in diffusers layout."""
    above = [parent for parent in Path(name).parents if parent != Path()]
    roots = _roots("checkpoints")
    return any((root / parent / MODEL_INDEX).is_file() for root in roots for parent in above)


def input_files(suffixes: tuple[str, ...]) -> list[str]:
    """Files of ComfyUI's input folder with one of these endings, as its menus show them."""
    folder = Path(folder_paths.get_input_directory())
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if entry.is_file() and entry.suffix.lower() in suffixes)


def input_radiographs() -> list[str]:
    """Files of ComfyUI's input folder that are pictures or DICOM, as its menus show them."""
    folder = Path(folder_paths.get_input_directory())
    return sorted(entry.name for entry in folder.iterdir() if is_radiograph_file(entry)) if folder.is_dir() else []


def diffusers_places() -> dict[str, Path]:
    """Checkpoints in diffusers layout by the name that the menu shows, the one that ships too."""
    from x2x_core.common.bundled import bundled_path

    places = {name: path or bundled_path("demo") for name, path in checkpoint_places().items()}
    return {name: path for name, path in places.items() if path.is_dir()}
