"""Windows of the latents: an edit is denoised and decoded around its mask alone, at the scale of the whole canvas.

A window is cut from noise that was made for the whole canvas, so a seed has the same noise in a window as on the
whole, and what lies outside the window is the original's latents, as it is outside the mask. The picture's latents are
cut from those of the whole canvas, too, or, where the caller's mask makes the window known before they are encoded,
nearly these: see `x2x_core.edit.backbones.window_encoder`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

# Shortest side of a window, share of the canvas's side: a network sees too little of the picture in a smaller one.
SMALLEST_SHARE = 0.25


@dataclass(frozen=True)
class Windows:
    """The window of each of B outputs, all of one size, in cells or pixels of the canvas."""

    corners: tuple[tuple[int, int], ...]  # B: first row and column
    size: tuple[int, int]  # height and width
    whole: tuple[int, int]  # size of the canvas

    def scaled(self, factor: int) -> Windows:
        """Return the windows in cells `factor` times as small."""
        corners = tuple((top * factor, left * factor) for top, left in self.corners)
        (height, width), (tall, wide) = self.size, self.whole
        return Windows(corners, (height * factor, width * factor), (tall * factor, wide * factor))

    def slices(self, output: int) -> tuple[slice, slice]:
        """Return rows and columns of an output's window."""
        (top, left), (height, width) = self.corners[output], self.size
        return slice(top, top + height), slice(left, left + width)

    def cut(self, values: torch.Tensor) -> torch.Tensor:
        """Return the contents of the windows, `(n * B, C, *size)`, of values `(n * B, C, *whole)`."""
        outputs = len(self.corners)
        cut = []
        for number, own in enumerate(values):
            rows, columns = self.slices(number % outputs)
            cut.append(own[..., rows, columns])
        return torch.stack(cut)

    def grown(self, cells: int) -> Windows:
        """Return windows with so many more cells on each side, as far as the canvas goes, all of one size."""
        height, width = (min(side + 2 * cells, whole) for side, whole in zip(self.size, self.whole))
        corners = tuple(
            (
                min(max(top - cells, 0), self.whole[0] - height),
                min(max(left - cells, 0), self.whole[1] - width),
            )
            for top, left in self.corners
        )
        return Windows(corners, (height, width), self.whole)

    def paste(self, contents: torch.Tensor, onto: torch.Tensor | None = None) -> torch.Tensor:
        """Return values `(n * B, C, *whole)` with contents `(n * B, C, *size)` in the windows; on ``None``, on 0."""
        outputs = len(self.corners)
        values = contents.new_zeros(*contents.shape[:2], *self.whole) if onto is None else onto.clone()
        for number, own in enumerate(contents):
            rows, columns = self.slices(number % outputs)
            values[number, ..., rows, columns] = own
        return values


def windows_around(cells: torch.Tensor, context: int, step: int) -> Windows | None:
    """Return the windows around masks, or ``None`` if they would be the whole canvas.

    A window holds all regions of its mask and the context around them, begins and ends at multiples of `step`, and has
    sides of at least `SMALLEST_SHARE` of the canvas's. All are as large as the largest.

    Args:
        cells: `(B, 1, h, w)` bool, the mask on the latents.
        context: around the mask, cells.
        step: cells on whose multiples a window begins and ends, so that the network's layers meet the same cells.
    """
    whole = (cells.shape[-2], cells.shape[-1])
    spans = [
        [_span(mask.any(dim=1 - axis), context, step) for axis in (0, 1)] for mask in cells[:, 0].cpu()
    ]  # of each output: rows, columns
    height, width = (max(end - start for start, end in side) for side in zip(*spans, strict=True))
    if (height, width) == whole:
        return None
    corners = tuple(
        (_moved(rows, height, whole[0], step), _moved(columns, width, whole[1], step)) for rows, columns in spans
    )
    return Windows(corners, (height, width), whole)


def _span(used: torch.Tensor, context: int, step: int) -> tuple[int, int]:
    """Return first and last cell (exclusive) of a window's side for the cells `(n,)` bool that are used."""
    length = len(used)
    indices = used.nonzero().flatten()
    first, last = (int(indices[0]), int(indices[-1]) + 1) if len(indices) else (0, 0)
    smallest = max(round(SMALLEST_SHARE * length), 1)
    missing = max(smallest - (last - first) - 2 * context, 0)
    start = max(first - context - missing // 2, 0) // step * step
    end = -(-max(last + context + missing - missing // 2, start + smallest) // step) * step
    return min(start, max(length - smallest, 0) // step * step), min(end, length)


def _moved(span: tuple[int, int], size: int, length: int, step: int) -> int:
    """Return the first cell of a window of `size` cells that holds a span."""
    start, end = span
    centred = max(start - (size - (end - start)) // 2, 0) // step * step
    return min(centred, length - size)
