"""Synthetic mark, burnt into the pixels of an edited image."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from x2x_core.imaging.drawing import load_font

from .pixels import StoredEdit

TEXT = "SYNTHETIC - NOT FOR DIAGNOSIS"
_SHARE = 0.5  # of the width, at most


def burn_in(edit: StoredEdit) -> tuple[np.ndarray, np.ndarray]:
    """Write the mark into the top left corner: the image's white on its black.

    Returns:
        `(H, W)` or `(H, W, 3)` stored values, and `(H, W)` bool: the box of the mark.
    """
    height, width = edit.mask.shape
    size = max(6, round(min(width, height) / 40))
    while size > 6 and load_font(size).getlength(TEXT) > _SHARE * width:
        size -= 1
    font = load_font(size)
    picture = Image.new("L", (round(font.getlength(TEXT)) + size, 2 * size))
    ImageDraw.Draw(picture).text((size / 2, size), TEXT, 255, font, anchor="lm")
    letters = np.asarray(picture)[:height, :width] > 127
    values, box = edit.after.copy(), np.zeros((height, width), bool)
    box[: letters.shape[0], : letters.shape[1]] = True
    values[box] = np.where(letters.ravel(), edit.white, edit.black).reshape(-1, *([1] * (values.ndim - 2)))
    return values, box
