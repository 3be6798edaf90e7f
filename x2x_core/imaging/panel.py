"""Panels for print: before, guidance map, after and difference in a row."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from x2x_core.common.errors import InputError

from .drawing import (
    GREY_INK,
    INK,
    PAPER,
    ImageLike,
    as_map,
    as_rgb,
    color_bar,
    difference_colours,
    load_font,
    resample,
    side_by_side,
    to_picture,
)
from .overlay import difference_map, guidance_overlay, mask_contour

FOOTER = "Synthetic image, for research only. Not for diagnosis."
CAPTIONS = ("Before", "Guidance map", "After", "Difference")
FRAME = (190, 190, 194)
GHOST = 0.22  # how strongly the radiograph shows through the difference, [0, 1]


@dataclass(frozen=True)
class PanelStyle:
    """Measures of a panel at print quality; all scale with the tile."""

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
        """Return a share of the tile in pixels, at least 1."""
        return max(1, round(share * self.tile))


_STYLE = PanelStyle()


def panel(
    before: ImageLike,
    guidance_map: ImageLike | None,
    guidance_mask: ImageLike | None,
    after: ImageLike,
    title: str,
    captions: Sequence[str] | None = None,
    footer: str = FOOTER,
    style: PanelStyle = _STYLE,
) -> Image.Image:
    """Draw before, guidance map with the mask's contour, after and difference in a row, for print.

    Args:
        before: the radiograph.
        guidance_map: G in [0, 1]; `None` leaves its picture out.
        guidance_mask: M, drawn as a contour over the guidance map; `None` draws no contour.
        after: the edited radiograph, of the same size.
        title: the instruction; wrapped to the panel's width.
        captions: one under each picture (default: those of `CAPTIONS` whose picture is shown).
        footer: line at the bottom right.
        style: measures; `PanelStyle(tile=...)` sets the resolution.

    Returns:
        RGB on white. At the default tile it prints 25 cm wide at 300 dots per inch.

    Raises:
        InputError: different sizes, a map outside [0, 1], or a wrong number of captions.
    """
    count = 4 if guidance_map is not None else 3
    captions = captions or (CAPTIONS if count == 4 else CAPTIONS[:1] + CAPTIONS[2:])
    if len(captions) != count:
        raise InputError(f"`captions` must have {count} entries, one for each picture, got {len(captions)}.")
    size = _tile_size(as_rgb(before).shape[:2], style.tile)
    old, new = _fit(before, size), _fit(after, size)
    difference, limit = difference_map(old, new, ghost=GHOST)
    bar = color_bar(size[0], lambda share: difference_colours(2 * share - 1), (f"-{limit:.2g}", "0", f"+{limit:.2g}"))
    tiles = [to_picture(old), to_picture(new), difference]
    if guidance_map is not None:
        overlay = guidance_overlay(old, as_map(guidance_map, size, "guidance_map"))
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
    fonts = [load_font(style.pixels(share)) for share in (style.title, style.caption, style.footer)]
    row = side_by_side([*tiles, bar], gap)
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
        draw.rectangle((left - 1, top - 1, left + tile.width, top + tile.height), outline=FRAME)
    return canvas


def _fit(image: ImageLike, size: tuple[int, int]) -> np.ndarray:
    return resample(as_rgb(image), size).clip(0, 1)


def _tile_size(size: tuple[int, int], tile: int) -> tuple[int, int]:
    scale = tile / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Wrap text to lines of at most `width` pixels, breaking words that are longer than a line."""
    words = " ".join(text.split())
    letters = max(1, len(words))
    while letters > 1:
        lines = textwrap.wrap(words, letters)
        if all(font.getlength(line) <= width for line in lines):
            return lines
        letters = min(letters - 1, int(letters * 0.97))
    return textwrap.wrap(words, 1)
