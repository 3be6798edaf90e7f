"""Pictures that explain an edit: guidance overlays, contours, colour maps with a legend, the panel.

Images are taken as tensors `(1 | 3, H, W)`, `(1, 1 | 3, H, W)` or `(H, W)` in [0, 1], as arrays `(H, W)` or `(H, W, 3)`
(uint8 of 0..255, uint16 of 0..65535, or floating point in [0, 1]), or as Pillow pictures. Maps and masks are taken
alike, with one channel, and are resampled to the image's size. Results are 8-bit RGB Pillow pictures.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from x2x_core.common.errors import InputError

ImageLike = torch.Tensor | np.ndarray | Image.Image
Colour = tuple[int, int, int]

RED: Colour = (214, 39, 40)
CONTOUR_COLOUR: Colour = (255, 204, 0)
INK: Colour = (28, 28, 30)
GREY_INK: Colour = (110, 110, 116)
PAPER: Colour = (255, 255, 255)
FOOTER = "Synthetic image, for research only. Not for diagnosis."
CAPTIONS = ("Before", "Guidance map", "After", "Difference")
COLORMAP = cv2.COLORMAP_INFERNO
FADE = 0.45  # how far the radiograph under a guidance map goes towards white, [0, 1]
GHOST = 0.22  # how strongly the radiograph shows through a panel's difference, [0, 1]
SMALLEST_RANGE = 0.05  # a difference smaller than this is not stretched to full colour


@dataclass(frozen=True)
class PanelStyle:
    """Measures of a panel in pixels at print quality; all grow with the tile."""

    tile: int = 720  # longer side of each picture
    margin: float = 0.045  # around the panel, share of the tile
    gap: float = 0.03  # between the pictures, share of the tile
    title: float = 0.062  # height of the title's letters, share of the tile
    caption: float = 0.040  # height of the captions' letters, share of the tile
    footer: float = 0.030  # height of the footer's letters, share of the tile

    def __post_init__(self) -> None:
        if self.tile < 64:
            raise InputError(f"`tile` must be at least 64 pixels, got {self.tile}.")

    def pixels(self, share: float) -> int:
        """A share of the tile in pixels, at least 1."""
        return max(1, round(share * self.tile))


def guidance_overlay(image: ImageLike, guidance_map: ImageLike, fade: float = FADE) -> Image.Image:
    """The guidance map in red over a faded radiograph, as in the paper's figures.

    Args:
        image: the radiograph, see the module.
        guidance_map: G in [0, 1], see the module.
        fade: how far the radiograph goes towards white, [0, 1].

    Returns:
        RGB, of the image's size: the faded radiograph where G is 0, pure red where G is 1.

    Raises:
        InputError: a wrong shape or range.
    """
    if not 0 <= fade <= 1:
        raise InputError(f"`fade` must lie in [0, 1], got {fade}.")
    picture = as_rgb(image)
    strength = _as_map(guidance_map, picture.shape[:2], "guidance_map")[..., None]
    faded = picture * (1 - fade) + fade
    red = np.asarray(RED, np.float32) / 255
    return _to_picture(faded * (1 - strength) + red * strength)


def guidance_colormap(
    image: ImageLike,
    guidance_map: ImageLike,
    legend: bool = True,
    mask_threshold: float | None = None,
    mask: ImageLike | None = None,
) -> Image.Image:
    """The guidance map in colours (inferno: dark is 0, bright is 1) over the radiograph.

    The colours cover the radiograph the more the higher the map is, so that anatomy shows through low values.

    Args:
        image: the radiograph, see the module.
        guidance_map: G in [0, 1], see the module.
        legend: add a bar of the colours with ticks from 0 to 1 on the right.
        mask_threshold: tau in [0, 1], marked on the legend; ``None``: not marked.
        mask: the guidance mask, whose outline is drawn; ``None``: no outline.

    Returns:
        RGB, of the image's height and width; wider by the legend where there is one.
    """
    picture = as_rgb(image)
    values = _as_map(guidance_map, picture.shape[:2], "guidance_map")
    colours = _colours(values)
    cover = 0.9 * (values**0.8)[..., None]
    blended = _to_picture(picture * (1 - cover) + colours * cover)
    if mask is not None:
        blended = mask_contour(blended, mask)
    if not legend:
        return blended
    bar = color_bar(blended.height, _colours, ("0", "0.25", "0.5", "0.75", "1"), mask_threshold)
    return _beside([blended, bar], 0)


def mask_contour(
    image: ImageLike,
    mask: ImageLike,
    colour: Colour = CONTOUR_COLOUR,
    thickness: float | None = None,
) -> Image.Image:
    """The outline of a mask drawn over the radiograph.

    Args:
        image: the radiograph, see the module.
        mask: the guidance mask; inside is 0.5 and more.
        colour: red, green, blue of 0..255.
        thickness: of the line in pixels (default: grows with the image, 1 at least).

    Returns:
        RGB, of the image's size. An empty mask leaves the radiograph as it is.
    """
    picture = np.array(_to_picture(as_rgb(image)))
    inside = _as_map(mask, picture.shape[:2], "mask", smooth=False) >= 0.5
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
    """What an edit changed: red where the picture became brighter (denser), blue where darker, white where equal.

    Args:
        before: the radiograph.
        after: the edited one, of the same size.
        limit: the change in grey value, (0, 1], that has full colour (default: the largest change, at least 0.05).
        ghost: how strongly the radiograph shows through in light grey, for orientation, [0, 1].

    Returns:
        RGB, of the image's size, and the limit.

    Raises:
        InputError: the sizes differ, or `limit` is not positive.
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
    return _to_picture(_diverging(change / limit) * shade), limit


def panel(
    before: ImageLike,
    guidance_map: ImageLike | None,
    guidance_mask: ImageLike | None,
    after: ImageLike,
    title: str,
    captions: Sequence[str] | None = None,
    footer: str = FOOTER,
    style: PanelStyle = PanelStyle(),
) -> Image.Image:
    """Before, guidance map with the mask's contour, after and difference in a row, for print.

    Args:
        before: the radiograph.
        guidance_map: G in [0, 1]; ``None``: its picture is left out.
        guidance_mask: M, drawn as a contour over the guidance map; ``None``: no contour.
        after: the edited radiograph, of the same size.
        title: the instruction; wrapped to the panel's width.
        captions: one under each picture (default: `CAPTIONS`, those of the pictures that are there).
        footer: a line at the bottom right.
        style: measures; ``PanelStyle(tile=...)`` sets the resolution.

    Returns:
        RGB on white. At the default tile it prints 25 cm wide at 300 dots per inch.

    Raises:
        InputError: sizes that differ, a map out of range, or not a caption for each picture.
    """
    count = 4 if guidance_map is not None else 3
    captions = captions or (CAPTIONS if count == 4 else CAPTIONS[:1] + CAPTIONS[2:])
    if len(captions) != count:
        raise InputError(f"`captions` must be {count}, one for each picture, got {len(captions)}.")
    size = _tile_size(as_rgb(before).shape[:2], style.tile)
    old, new = _fit(before, size), _fit(after, size)
    difference, limit = difference_map(old, new, ghost=GHOST)
    bar = color_bar(size[0], lambda share: _diverging(2 * share - 1), (f"-{limit:.2g}", "0", f"+{limit:.2g}"))
    tiles = [_to_picture(old), _to_picture(new), difference]
    if guidance_map is not None:
        overlay = guidance_overlay(old, _as_map(guidance_map, size, "guidance_map"))
        if guidance_mask is not None:
            overlay = mask_contour(overlay, guidance_mask, thickness=style.tile / 300)
        tiles.insert(1, overlay)
    return _compose(tiles, bar, title, captions, footer, style)


def _compose(
    tiles: Sequence[Image.Image],
    bar: Image.Image,
    title: str,
    captions: Sequence[str],
    footer: str,
    style: PanelStyle,
) -> Image.Image:
    margin, gap = style.pixels(style.margin), style.pixels(style.gap)
    fonts = [_font(style.pixels(share)) for share in (style.title, style.caption, style.footer)]
    row = _beside([*tiles, bar], gap)
    lines = _wrap(title, fonts[0], row.width)
    line_height = round(1.3 * fonts[0].size)
    top = margin + len(lines) * line_height + gap
    below = top + row.height + gap // 2
    height = below + round(1.6 * fonts[1].size) + round(1.6 * fonts[2].size) + margin
    canvas = Image.new("RGB", (row.width + 2 * margin, height), PAPER)
    canvas.paste(row, (margin, top))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((margin, margin + number * line_height), line, INK, fonts[0])
    for number, (tile, caption) in enumerate(zip(tiles, captions)):
        middle = margin + number * (tile.width + gap) + tile.width / 2
        draw.text((middle, below), caption, INK, fonts[1], anchor="ma")
    draw.text((canvas.width - margin, height - margin), footer, GREY_INK, fonts[2], anchor="rs")
    for number, tile in enumerate(tiles):
        left = margin + number * (tile.width + gap)
        draw.rectangle((left - 1, top - 1, left + tile.width, top + tile.height), outline=(190, 190, 194))
    return canvas


def color_bar(height: int, colours, ticks: Sequence[str], mark: float | None = None) -> Image.Image:
    """A vertical bar of colours with ticks, lowest value at the bottom, on white.

    Args:
        height: in pixels.
        colours: function of an array of shares in [0, 1] to RGB in [0, 1], one more axis of 3.
        ticks: labels from the lowest to the highest, spread evenly.
        mark: a share in [0, 1] to mark by a line across the bar.

    Returns:
        RGB, `height` high.
    """
    letters = max(9, round(height / 26))
    font = _font(letters)
    inset, width = round(0.75 * letters), max(6, round(height / 24))
    span = max(2, height - 2 * inset)
    labels = max(font.getlength(tick) for tick in ticks)
    bar = Image.new("RGB", (round(inset + width + 0.9 * letters + labels + 2), height), PAPER)
    shares = np.linspace(1, 0, span, dtype=np.float32)[:, None].repeat(width, axis=1)
    bar.paste(_to_picture(colours(shares)), (inset, inset))
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


def as_rgb(image: ImageLike, name: str = "image") -> np.ndarray:
    """An image in any of the forms that the module takes, as `(H, W, 3)` float32 in [0, 1].

    Raises:
        InputError: another form, more than one image, or a value that is out of range or not a number.
    """
    values = _as_channels_last(image, name)
    if values.shape[2] not in (1, 3):
        raise InputError(f"`{name}` must have 1 or 3 channels, got shape {values.shape}.")
    if not (np.isfinite(values).all() and values.min() >= -1e-3 and values.max() <= 1 + 1e-3):
        raise InputError(f"`{name}` must lie in [0, 1], got {values.min():g} to {values.max():g}.")
    return np.ascontiguousarray(np.broadcast_to(values.clip(0, 1), (*values.shape[:2], 3)))


def _as_channels_last(image: ImageLike, name: str) -> np.ndarray:
    """`(H, W, C)` float32, whole numbers scaled by their own depth."""
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


def _as_map(values: ImageLike, size: tuple[int, int], name: str, smooth: bool = True) -> np.ndarray:
    """A map or mask as `(H, W)` float32 in [0, 1] at `size`."""
    flat = as_rgb(values, name)[..., 0]
    if flat.shape == tuple(size):
        return flat
    return _resample(flat, size, smooth).clip(0, 1)


def _resample(values: np.ndarray, size: tuple[int, int], smooth: bool = True) -> np.ndarray:
    """Averaging where the image shrinks; where it grows, smooth, or linear for masks."""
    if size[0] <= values.shape[0] and size[1] <= values.shape[1]:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(values), (size[1], size[0]), interpolation=method)


def _fit(image: ImageLike, size: tuple[int, int]) -> np.ndarray:
    return _resample(as_rgb(image), size).clip(0, 1)


def _tile_size(size: tuple[int, int], tile: int) -> tuple[int, int]:
    scale = tile / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _colours(values: np.ndarray) -> np.ndarray:
    """Values in [0, 1] to the colour map's RGB in [0, 1]."""
    coloured = cv2.applyColorMap(np.round(values * 255).astype(np.uint8), COLORMAP)
    return coloured[..., ::-1].astype(np.float32) / 255


def _diverging(values: np.ndarray) -> np.ndarray:
    """Values in [-1, 1] to RGB in [0, 1]: blue, through white at 0, to red."""
    values = np.clip(values, -1, 1)[..., None].astype(np.float32)
    red, blue = np.float32((0.70, 0.09, 0.17)), np.float32((0.13, 0.40, 0.67))
    strength = np.abs(values) ** 0.8
    return (1 - strength) + strength * np.where(values > 0, red, blue)


def _to_picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8))


def _beside(pictures: Sequence[Image.Image], gap: int) -> Image.Image:
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    row = Image.new("RGB", (width, max(picture.height for picture in pictures)), PAPER)
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + gap
    return row


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=size)


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines of at most `width` pixels; a word longer than a line is broken."""
    words = " ".join(text.split())
    letters = max(1, len(words))
    while letters > 1:
        lines = textwrap.wrap(words, letters)
        if all(font.getlength(line) <= width for line in lines):
            return lines
        letters = min(letters - 1, int(letters * 0.97))
    return textwrap.wrap(words, 1)
