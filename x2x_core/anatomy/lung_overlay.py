"""Outlines of the lungs over a radiograph, with a legend."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from x2x_core.common.errors import InputError
from x2x_core.imaging.drawing import Colour, ImageLike
from x2x_core.imaging.overlay import mask_contour

from .lung_masks import INSIDE, LungMasks

RIGHT_COLOUR: Colour = (64, 196, 255)
LEFT_COLOUR: Colour = (126, 217, 87)
LEGEND = (("Right lung", RIGHT_COLOUR), ("Left lung", LEFT_COLOUR))
_NOT_FOUND = "not found"


def lung_overlay(image: ImageLike, lungs: LungMasks) -> Image.Image:
    """Draw the outlines of both lung fields over an image.

    Args:
        image: the radiograph, see `x2x_core.imaging.drawing`.
        lungs: the lungs of one image, B = 1.

    Returns:
        An RGB image of the same size; the legend is in the lower corners, each entry on its lung's side.

    Raises:
        InputError: lungs of several images.
    """
    if len(lungs) != 1:
        raise InputError(f"`lungs` must be those of one image, got {len(lungs)}. Select one: `lungs[0]`.")
    picture = mask_contour(image, np.zeros((1, 1), np.float32))
    entries = []
    for mask, (name, colour) in zip((lungs.right, lungs.left), LEGEND):
        inside = (mask >= INSIDE).float()
        entries.append((name if inside.any() else f"{name} {_NOT_FOUND}", colour))
        picture = mask_contour(picture, inside, colour)
    return _with_legend(picture, entries)


def _with_legend(picture: Image.Image, entries: list[tuple[str, Colour]]) -> Image.Image:
    size = max(9, round(max(picture.size) / 36))
    font, draw = ImageFont.load_default(size), ImageDraw.Draw(picture)
    for number, (text, colour) in enumerate(entries):
        width = draw.textlength(text, font=font)
        left = size * 0.6 if number == 0 else picture.width - width - size * 0.6
        top = picture.height - 1.7 * size
        draw.text((left, top), text, colour, font, stroke_width=max(1, size // 9), stroke_fill=(0, 0, 0))
    return picture
