"""Pixel grids: from the radiograph, upright and with square pixels, back to the file's rows and columns."""

from __future__ import annotations

import cv2
import numpy as np

from x2x_core.imaging.dicom import StoredPicture

_WHOLE = 1 - 1e-4  # coverage of a pixel, above rounding of the resampling


def to_file_grid(values: np.ndarray, picture: StoredPicture) -> np.ndarray:
    """Bring values of the radiograph to the grid of the file it was read from.

    Args:
        values: `(H, W)` or `(H, W, 3)`, of the radiograph's size.
        picture: the file's picture.

    Returns:
        `(rows, columns)` or `(rows, columns, 3)`; averaged over the pixels that lie in a pixel of the file if reading
        resampled the picture to square pixels.
    """
    upright = picture.turn.undo(values)
    rows, columns = picture.shown.shape[:2]
    if upright.shape[:2] == (rows, columns):
        return upright
    return cv2.resize(upright.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)


def mask_to_file_grid(mask: np.ndarray, picture: StoredPicture) -> np.ndarray:
    """Bring a mask to the file's grid: True for pixels that lie in the mask with their whole area.

    Args:
        mask: `(H, W)` bool, of the radiograph's size.
        picture: the file's picture.
    """
    return to_file_grid(mask.astype(np.float32), picture) > _WHOLE
