"""Files with pseudomasks: found for the menu, and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import folder_paths
import torch

from x2x_core.common.errors import InputError

from ..choices import BUNDLED_ATLAS
from .folders import MODEL_FOLDER, input_files

if TYPE_CHECKING:
    from x2x_core.pseudomasks.atlas import PseudomaskAtlas

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
_ATLAS_SUFFIX, _ARRAY_SUFFIX = ".safetensors", ".npy"


@dataclass(frozen=True)
class PseudomaskFile:
    """Contents of a file: an atlas, or a single mask `(1, H, W)` in [0, 1]."""

    atlas: PseudomaskAtlas | None
    mask: torch.Tensor | None
    info: str


def pseudomask_places() -> dict[str, Path | None]:
    """Return the path of every pseudomask file and folder by its name in the menu; ``None`` for the bundled atlas."""
    places: dict[str, Path | None] = {BUNDLED_ATLAS: None}
    roots = folder_paths.get_folder_paths(MODEL_FOLDER) if MODEL_FOLDER in folder_paths.folder_names_and_paths else []
    for root in map(Path, roots):
        arrays = sorted(root.rglob(f"*{_ARRAY_SUFFIX}")) if root.is_dir() else []
        for folder in dict.fromkeys(path.parent for path in arrays):
            if folder != root:
                places.setdefault(f"{MODEL_FOLDER}/{folder.relative_to(root).as_posix()}", folder)
        for path in [*sorted(root.glob(f"*{_ATLAS_SUFFIX}")), *arrays] if root.is_dir() else []:
            places.setdefault(f"{MODEL_FOLDER}/{path.relative_to(root).as_posix()}", path)
    inputs = Path(folder_paths.get_input_directory())
    for name in input_files((_ATLAS_SUFFIX, _ARRAY_SUFFIX, *PICTURES)):
        places.setdefault(f"input/{name}", inputs / name)
    return places


def read_pseudomask(name: str, path: Path | None) -> PseudomaskFile:
    """Read an atlas, a folder of published masks, a published mask, or a picture.

    Args:
        name: in the menu, for messages.
        path: one of `pseudomask_places`.

    Raises:
        InputNotFoundError: the file does not exist.
        InputError: the file holds no pseudomask.
    """
    from x2x_core.pseudomasks.atlas import PseudomaskAtlas

    if path is None or path.is_dir() or path.suffix == _ATLAS_SUFFIX:
        atlas = PseudomaskAtlas.bundled() if path is None else PseudomaskAtlas.load(path)
        return PseudomaskFile(atlas, None, f"{name}: masks of {len(atlas.names)} findings: {', '.join(atlas.names)}.")
    mask = _read_array(path) if path.suffix == _ARRAY_SUFFIX else _read_picture(path)
    size = f"{mask.shape[-1]} x {mask.shape[-2]} pixels, {float((mask > 0).float().mean()):.0%} editable"
    return PseudomaskFile(None, mask[0], f"{name}: a single mask, {size}.")


def _read_array(path: Path) -> torch.Tensor:
    import numpy as np

    from x2x_core.pseudomasks.given import as_pseudomask

    try:
        values = np.load(path, allow_pickle=False)
        return as_pseudomask(values, tuple(values.shape[-2:]))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"`file` must be an array (H, W) from 0 to 1, but `{path.name}` is not: {error}") from error


def _read_picture(path: Path) -> torch.Tensor:
    from x2x_core.imaging.files import read_image

    return read_image(path).pixels.mean(dim=1, keepdim=True)
