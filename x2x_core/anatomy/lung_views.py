"""Parts of a radiograph that the lung finder looks at: the image without uniform borders, and the chest alone."""

from __future__ import annotations

import math

import torch

from .lung_masks import INSIDE

BORDER_TOLERANCE = 0.02  # grey levels of [0, 1] within which a row or column counts as a uniform border
MARGIN = 0.18  # around the lungs in the second look, share of the longer side of the box around them
SMALLEST_CHEST = 0.12  # side of the box around both lungs, share of the view, below which there is no second look

Box = tuple[int, int, int, int]  # top, left, bottom, right in pixels


def content_box(grey: torch.Tensor) -> Box | None:
    """Return the image without uniform borders, as top, left, bottom, right in pixels.

    A border consists of rows, or of columns, whose pixels all have the grey of the outermost one.

    Args:
        grey: `(1, 1, H, W)` in [0, 1].

    Returns:
        The box; ``None`` if the whole image is uniform.
    """
    values = grey[0, 0]
    top = _border(values)
    if top == len(values):
        return None
    bottom = len(values) - _border(values.flip(0))
    middle = values[top:bottom].T
    return top, _border(middle), bottom, len(middle) - _border(middle.flip(0))


def _border(rows: torch.Tensor) -> int:
    """Count the leading rows that have the grey of the first row throughout."""
    differs = ((rows - rows[0].median()).abs() > BORDER_TOLERANCE).any(1).nonzero()
    return int(differs[0]) if len(differs) else len(rows)


def chest_box(probabilities: torch.Tensor, box: Box) -> Box | None:
    """Return a box around the lungs with a margin.

    Args:
        probabilities: `(1, 2 or more, h, w)` of the outputs of the lung network inside `box`, the lung fields first.
        box: the part of the image that they cover, in pixels.

    Returns:
        The box in pixels of the image; ``None`` if there is no chest worth a second look.
    """
    inside = probabilities[0, :2].amax(0) > INSIDE
    rows, columns = (inside.any(axis).nonzero().flatten() for axis in (1, 0))
    height, width = inside.shape
    if not len(rows) or min(len(rows) / height, len(columns) / width) < SMALLEST_CHEST:
        return None
    (top, bottom), (left, right) = ((int(line[0]), int(line[-1]) + 1) for line in (rows, columns))
    side = max(bottom - top, right - left)
    margin = math.ceil(MARGIN * side)
    # A missed lung lies beside the one that was found, so the box is widened to a square about its centre.
    across, down = max(0, side - (right - left)) // 2, max(0, side - (bottom - top)) // 2
    return (
        box[0] + max(0, top - margin - down),
        box[1] + max(0, left - margin - across),
        box[0] + min(height, bottom + margin + down),
        box[1] + min(width, right + margin + across),
    )
