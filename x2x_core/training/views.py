"""Views: pictures at the size that a small network sees."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from x2x_core.common.errors import InputError


def read_view(path: Path, size: int) -> torch.Tensor:
    """Read a picture as `(1, size, size)` float32 in [0, 1], grey.

    Raises:
        InputError: the file is not an image.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise InputError(f"`{path}` is not an image that can be read.")
    small = np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA))
    return torch.from_numpy(small.astype(np.float32) / 255)[None]
