"""Overlays that explain an edit: guidance map, contour of the mask, difference.

Images and maps are accepted in every form of `x2x_core.imaging.drawing`; maps and masks are resampled to the image's
size. Results are 8-bit RGB Pillow pictures.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from x2x_core.common.errors import InputError

from .drawing import (
    RED,
    Colour,
    ImageLike,
    as_map,
    as_rgb,
    color_bar,
    difference_colours,
    guidance_colours,
    side_by_side,
    to_picture,
)

CONTOUR_COLOUR: Colour = (255, 204, 0)
FADE = 0.45  # how far the radiograph under a guidance map fades towards white, [0, 1]
SMALLEST_RANGE = 0.05  # smallest difference that is shown in full colour


def guidance_overlay(image: ImageLike, guidance_map: ImageLike, fade: float = FADE) -> Image.Image:
    """Draw the guidance map in red over a faded radiograph, as in the figures of Min et al. (MICCAI 2025).

    Args:
        image: the radiograph.
        guidance_map: G in [0, 1].
        fade: how far the radiograph fades towards white, [0, 1].

    Returns:
        RGB, of the image's size: the faded radiograph where G is 0, pure red where G is 1.

    Raises:
        InputError: wrong shape or range.
    """
    if not 0 <= fade <= 1:
        raise InputError(f"`fade` must lie in [0, 1], got {fade}.")
    picture = as_rgb(image)
    strength = as_map(guidance_map, picture.shape[:2], "guidance_map")[..., None]
    faded = picture * (1 - fade) + fade
    faded *= 1 - strength
    faded += np.asarray(RED, np.float32) / 255 * strength
    return to_picture(faded)


def guidance_colormap(
    image: ImageLike,
    guidance_map: ImageLike,
    legend: bool = True,
    mask_threshold: float | None = None,
    mask: ImageLike | None = None,
) -> Image.Image:
    """Draw the guidance map in colours (inferno: dark is 0, bright is 1) over the radiograph.

    Opacity grows with the map, so that anatomy shows through low values.

    Args:
        image: the radiograph.
        guidance_map: G in [0, 1].
        legend: add a colour bar with ticks from 0 to 1 on the right.
        mask_threshold: tau in [0, 1], marked on the legend; `None` for no mark.
        mask: the guidance mask, drawn as an outline; `None` for no outline.

    Returns:
        RGB, of the image's size plus the width of the legend.
    """
    picture = as_rgb(image)
    values = as_map(guidance_map, picture.shape[:2], "guidance_map")
    colours = guidance_colours(values)
    cover = 0.9 * (values**0.8)[..., None]
    blended = to_picture(picture * (1 - cover) + colours * cover)
    if mask is not None:
        blended = mask_contour(blended, mask)
    if not legend:
        return blended
    bar = color_bar(blended.height, guidance_colours, ("0", "0.25", "0.5", "0.75", "1"), mask_threshold)
    return side_by_side([blended, bar], 0)


def mask_contour(
    image: ImageLike,
    mask: ImageLike,
    colour: Colour = CONTOUR_COLOUR,
    thickness: float | None = None,
) -> Image.Image:
    """Draw the outline of a mask over the radiograph.

    Args:
        image: the radiograph.
        mask: the guidance mask; values of 0.5 and above are inside.
        colour: red, green, blue, 0 to 255.
        thickness: line width in pixels (default: 1/360 of the longer side, at least 1).

    Returns:
        RGB, of the image's size. An empty mask leaves the radiograph unchanged.
    """
    picture = np.array(to_picture(as_rgb(image)))
    inside = as_map(mask, picture.shape[:2], "mask", smooth=False) >= 0.5
    width = max(1, round(max(picture.shape[:2]) / 360)) if thickness is None else max(1, round(thickness))
    outlines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, colour, width, cv2.LINE_AA)
    return Image.fromarray(picture)


def difference_map(
    before: ImageLike,
    after: ImageLike,
    limit: float | None = None,
    ghost: float = 0.0,
) -> tuple[Image.Image, float]:
    """Draw what an edit changed: red where brighter (denser), blue where darker, white where equal.

    Args:
        before: the radiograph.
        after: the edited radiograph, of the same size.
        limit: change in grey value, (0, 1], shown in full colour (default: the largest change, at least 0.05).
        ghost: how strongly the radiograph shows through in light grey, [0, 1].

    Returns:
        RGB, of the image's size, and the limit.

    Raises:
        InputError: different sizes, or `limit` or `ghost` out of range.
    """
    old, new = as_rgb(before), as_rgb(after)
    if old.shape != new.shape:
        raise InputError(f"`before` and `after` must be of one size, got {old.shape[:2]} and {new.shape[:2]}.")
    change = (new - old).mean(axis=2)
    if limit is None:
        limit = max(float(np.abs(change).max()), SMALLEST_RANGE)
    if limit <= 0 or not 0 <= ghost <= 1:
        raise InputError(f"`limit` must be positive and `ghost` lie in [0, 1], got {limit} and {ghost}.")
    shade = 1 - ghost * (1 - old)
    return to_picture(difference_colours(change / limit) * shade), limit
