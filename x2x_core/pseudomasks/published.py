"""Published pseudomasks: a folder of `pseudo_mask_<Category>.npy`, 0 and 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.kinds import PUBLISHED_MASKS


def published_file_name(category: str) -> str:
    """Return the file name of a category's published mask."""
    return f"{PUBLISHED_MASKS[0]}{category}.npy"


def read_published_masks(folder: Path) -> dict[str, torch.Tensor]:
    """Read a folder of published masks.

    The published generator writes `mask_<Category>.npy` with underscores for spaces; those names are read too.

    Returns:
        Category to its mask `(h, w)` float32 of 0 and 1.

    Raises:
        InputNotFoundError: the folder contains no mask.
        InputError: a file that is not a mask.
    """
    masks: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("*.npy")):
        prefix = next((prefix for prefix in PUBLISHED_MASKS if path.stem.startswith(prefix)), None)
        if prefix is not None:
            masks.setdefault(_category(path.stem.removeprefix(prefix)), _read_mask(path))
    if not masks:
        raise InputNotFoundError(
            f"`{folder}` contains no published masks: it must hold files named `{published_file_name('<Category>')}`."
        )
    return masks


def _category(stem: str) -> str:
    name = stem.replace("_", " ").strip()
    return "Effusion" if name == "Pleural Effusion" else name


def _read_mask(path: Path) -> torch.Tensor:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"`{path}` must be a NumPy array of 0 and 1, but cannot be read: {error}.") from error
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind not in "buif":
        raise InputError(f"`{path}` must be a 2-dimensional mask of 0 and 1, got {values.dtype} {values.shape}.")
    if not np.isin(values, (0, 1)).all():
        raise InputError(f"`{path}` must contain only 0 and 1, got values from {values.min()} to {values.max()}.")
    if not values.any():
        raise InputError(f"`{path}` must mark a part of the image, but it is empty.")
    return torch.from_numpy(values.astype(np.float32))
