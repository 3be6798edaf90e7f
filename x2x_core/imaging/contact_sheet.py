"""Contact sheets: numbered pictures in rows, for a reader who looks at many."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from .drawing import load_font

_SIDE, _ACROSS, _DOWN = 300, 5, 3  # side of a picture in pixels, pictures in a row, rows
PER_SHEET = _ACROSS * _DOWN
_YELLOW, _BLACK = (255, 255, 0), (0, 0, 0)


def contact_sheet(pictures: Sequence[Image.Image], labels: Sequence[str]) -> Image.Image:
    """Return up to `PER_SHEET` pictures, each scaled to a square with its label, as one picture."""
    sheet = Image.new("RGB", (_ACROSS * _SIDE, _DOWN * _SIDE))
    draw, font = ImageDraw.Draw(sheet), load_font(14)
    for place, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        top, left = (_SIDE * step for step in divmod(place, _ACROSS))
        sheet.paste(picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), (left, top))
        draw.text((left + 4, top + 4), label, _YELLOW, font, stroke_width=2, stroke_fill=_BLACK)
    return sheet
