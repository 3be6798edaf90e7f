"""Drawing: images of any form as RGB, colour maps, colour bars.

Images are tensors `(1 | 3, H, W)`, `(1, 1 | 3, H, W)` or `(H, W)` in [0, 1], arrays `(H, W)` or `(H, W, 3)` (uint8,
uint16, or floating point in [0, 1]), or Pillow pictures. Maps and masks are the same with one channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from x2x_core.common.errors import InputError

ImageLike = torch.Tensor | np.ndarray | Image.Image
Colour = tuple[int, int, int]

RED: Colour = (214, 39, 40)
INK: Colour = (28, 28, 30)
GREY_INK: Colour = (110, 110, 116)
PAPER: Colour = (255, 255, 255)
COLORMAP = cv2.COLORMAP_INFERNO


def as_rgb(image: ImageLike, name: str = "image") -> np.ndarray:
    """Convert an image of any accepted form to `(H, W, 3)` float32 in [0, 1].

    Args:
        image: see the module docstring.
        name: argument name for error messages.

    Raises:
        InputError: unsupported form, more than one image, or values outside [0, 1], NaN or infinite.
    """
    values = _as_channels_last(image, name)
    if values.shape[2] not in (1, 3):
        raise InputError(f"`{name}` must have 1 or 3 channels, got shape {values.shape}.")
    if not (np.isfinite(values).all() and values.min() >= -1e-3 and values.max() <= 1 + 1e-3):
        raise InputError(f"`{name}` must lie in [0, 1], got {values.min():g} to {values.max():g}.")
    return np.ascontiguousarray(np.broadcast_to(values.clip(0, 1), (*values.shape[:2], 3)))


def _as_channels_last(image: ImageLike, name: str) -> np.ndarray:
    """Convert to `(H, W, C)` float32; integers are scaled by the depth of their dtype."""
    if isinstance(image, Image.Image):
        deep = image.mode.startswith("I;16")
        image = np.asarray(image if deep or image.mode in ("L", "RGB") else image.convert("RGB"))
    elif isinstance(image, torch.Tensor):
        image = _tensor_to_array(image, name)
    if not isinstance(image, np.ndarray):
        raise InputError(f"`{name}` must be a tensor, an array or a picture, got {type(image).__name__}.")
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or 0 in image.shape:
        raise InputError(f"`{name}` must be one image, got shape {image.shape}.")
    largest = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}.get(image.dtype, 1)
    return image.astype(np.float32) / np.float32(largest)


def _tensor_to_array(image: torch.Tensor, name: str) -> np.ndarray:
    if image.ndim == 4 and image.shape[0] == 1:
        image = image[0]
    if image.ndim == 4:
        raise InputError(f"`{name}` must be one image, got a batch of {image.shape[0]}: draw them one by one.")
    if image.ndim == 3:
        image = image.permute(1, 2, 0)
    kept = (torch.uint8, torch.uint16)
    return image.detach().cpu().to(image.dtype if image.dtype in kept else torch.float32).numpy()


def as_map(values: ImageLike, size: tuple[int, int], name: str, smooth: bool = True) -> np.ndarray:
    """Convert a map or mask to `(H, W)` float32 in [0, 1], resampled to `size`; masks with `smooth=False`."""
    flat = as_rgb(values, name)[..., 0]
    if flat.shape == tuple(size):
        return flat
    return resample(flat, size, smooth).clip(0, 1)


def resample(values: np.ndarray, size: tuple[int, int], smooth: bool = True) -> np.ndarray:
    """Resample `(H, W)` or `(H, W, C)`: area averaging to shrink, bicubic (`smooth`) or bilinear to enlarge."""
    if size[0] <= values.shape[0] and size[1] <= values.shape[1]:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(values), (size[1], size[0]), interpolation=method)


def guidance_colours(values: np.ndarray) -> np.ndarray:
    """Map values in [0, 1] to inferno RGB in [0, 1]."""
    coloured = cv2.applyColorMap(np.round(values * 255).astype(np.uint8), COLORMAP)
    return coloured[..., ::-1].astype(np.float32) / 255


def difference_colours(values: np.ndarray) -> np.ndarray:
    """Map values in [-1, 1] to RGB in [0, 1]: blue through white at 0 to red."""
    values = np.clip(values, -1, 1)[..., None].astype(np.float32)
    red, blue = np.array((0.70, 0.09, 0.17), np.float32), np.array((0.13, 0.40, 0.67), np.float32)
    strength = np.abs(values) ** 0.8
    return (1 - strength) + strength * np.where(values > 0, red, blue)


def to_picture(values: np.ndarray) -> Image.Image:
    """Convert values in [0, 1] to an 8-bit picture."""
    scaled = np.clip(values, 0, 1) * 255
    return Image.fromarray(np.round(scaled, out=scaled).astype(np.uint8))


def side_by_side(pictures: Sequence[Image.Image], gap: int) -> Image.Image:
    """Paste pictures in a row on white paper, `gap` pixels apart."""
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    row = Image.new("RGB", (width, max(picture.height for picture in pictures)), PAPER)
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + gap
    return row


@lru_cache(maxsize=16)
def load_font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's built-in font at a size in pixels."""
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size=size))  # FreeType whenever a size is given


def color_bar(
    height: int, colours: Callable[[np.ndarray], np.ndarray], ticks: Sequence[str], mark: float | None = None
) -> Image.Image:
    """Draw a vertical colour bar with ticks on white, the lowest value at the bottom.

    Args:
        height: in pixels.
        colours: maps an array of shares in [0, 1] to RGB in [0, 1], with one more axis of size 3.
        ticks: labels from the lowest to the highest value, evenly spaced.
        mark: share in [0, 1] marked by a line across the bar.

    Returns:
        RGB, `height` high.
    """
    letters = max(9, round(height / 26))
    font = load_font(letters)
    inset, width = round(0.75 * letters), max(6, round(height / 24))
    span = max(2, height - 2 * inset)
    labels = max(font.getlength(tick) for tick in ticks)
    bar = Image.new("RGB", (round(inset + width + 0.9 * letters + labels + 2), height), PAPER)
    shares = np.linspace(1, 0, span, dtype=np.float32)[:, None].repeat(width, axis=1)
    bar.paste(to_picture(colours(shares)), (inset, inset))
    draw = ImageDraw.Draw(bar)
    draw.rectangle((inset - 1, inset - 1, inset + width, inset + span), outline=GREY_INK)
    for number, tick in enumerate(ticks):
        y = inset + (span - 1) * (1 - number / (len(ticks) - 1))
        draw.line((inset + width, y, inset + width + 0.35 * letters, y), fill=GREY_INK, width=max(1, height // 500))
        draw.text((inset + width + 0.6 * letters, y), tick, INK, font, anchor="lm")
    if mark is not None:
        y = inset + (span - 1) * (1 - mark)
        draw.line((inset - 0.4 * letters, y, inset + width, y), fill=RED, width=max(2, height // 250))
    return bar
