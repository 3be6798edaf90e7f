"""Where checkpoints are: what ships with the pack, and ComfyUI's model folders."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from x2x_core.pipeline_loading import BUNDLED_MODELS, MODEL_INDEX, locate_checkpoint

# ComfyUI's model folders that are searched for checkpoints in diffusers layout.
CHECKPOINT_FOLDERS = ("instructx2x", "diffusers")


def checkpoint_names() -> list[str]:
    """Names to choose from: those that ship, then every folder in diffusers layout below ComfyUI's model folders."""
    return [*BUNDLED_MODELS, *_found()]


def checkpoint_path(name: str) -> Path:
    """The folder of a checkpoint in diffusers layout.

    Args:
        name: one of `checkpoint_names`.

    Raises:
        ValueError: there is none of this name.
    """
    if name in BUNDLED_MODELS:
        return Path(locate_checkpoint(name)[0])
    found = _found()
    if name not in found:
        raise ValueError(
            f"`checkpoint` must be one of {', '.join(checkpoint_names())}, got {name!r}. Put the folder that holds its "
            f"{MODEL_INDEX} under ComfyUI's models/diffusers and refresh the page."
        )
    return found[name]


def _found() -> dict[str, Path]:
    """Name, below its model folder, to path; the first of a name counts."""
    roots = [
        Path(root)
        for kind in CHECKPOINT_FOLDERS
        if kind in folder_paths.folder_names_and_paths
        for root in folder_paths.get_folder_paths(kind)
    ]
    found = {}
    for root in roots:
        for index in sorted(root.glob(f"**/{MODEL_INDEX}")):
            found.setdefault(index.parent.relative_to(root).as_posix(), index.parent)
    return found
