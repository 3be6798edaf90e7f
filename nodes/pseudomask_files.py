"""Files that hold pseudomasks: found by the menu, and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import folder_paths
import torch

from .folders import MODEL_FOLDER, input_files

BUNDLED = "atlas (bundled)"
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
_ATLAS_SUFFIX, _ARRAY_SUFFIX = ".safetensors", ".npy"


@dataclass(frozen=True)
class PseudomaskFile:
    """What a file holds: an atlas, a single mask `(1, H, W)` in [0, 1], or (one published mask) both."""

    atlas: object | None  # x2x_core.pseudomasks.PseudomaskAtlas
    mask: torch.Tensor | None
    info: str


def pseudomask_places() -> dict[str, Path | None]:
    """Every file and folder of pseudomasks by the name that the menu shows; ``None``: the atlas that ships."""
    places: dict[str, Path | None] = {BUNDLED: None}
    roots = folder_paths.get_folder_paths(MODEL_FOLDER) if MODEL_FOLDER in folder_paths.folder_names_and_paths else []
    for root in map(Path, roots):
        arrays = sorted(root.rglob(f"*{_ARRAY_SUFFIX}")) if root.is_dir() else []
        for folder in dict.fromkeys(path.parent for path in arrays):
            if folder != root:
                places.setdefault(f"{MODEL_FOLDER}/{folder.relative_to(root).as_posix()}", folder)
        for path in [*sorted(root.glob(f"*{_ATLAS_SUFFIX}")), *arrays] if root.is_dir() else []:
            places.setdefault(f"{MODEL_FOLDER}/{path.relative_to(root).as_posix()}", path)
    folder = Path(folder_paths.get_input_directory())
    for name in input_files((_ATLAS_SUFFIX, _ARRAY_SUFFIX, *PICTURES)):
        places.setdefault(f"input/{name}", folder / name)
    return places
