"""Canvas: placement of a picture of any size and shape in the frame that a model processes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .crop_window import CropWindow
from .geometry import Padding, check_size, crop, fit_size, pad, padding_to_square, resize

# Without restriction a picture is processed at its own size, up to this multiple of the model's resolution.
LARGEST_OWN_SIZE = 2


@dataclass(frozen=True)
class Canvas:
    """Placement of a picture, or of a window of it, on the model's canvas. Sizes are `(height, width)` in pixels."""

    size: tuple[int, int]  # of the picture
    inner: tuple[int, int]  # of the scaled picture or window
    padding: Padding  # around it, filled by repeating its border
    cell: int  # side of a latent cell in canvas pixels
    window: CropWindow | None = None  # the part of the picture that the canvas shows; None: all of it

    @classmethod
    def square(cls, size: tuple[int, int], resolution: int, cell: int) -> Canvas:
        """Scale the picture into a square of `resolution` pixels, keeping its aspect ratio."""
        size = check_size(size)
        inner = fit_size(size, resolution)
        return cls(size, inner, padding_to_square(inner), cell)

    @classmethod
    def own(cls, size: tuple[int, int], resolution: int, cell: int, step: int | None = None) -> Canvas:
        """Keep the picture's own size, rounded down to multiples of `step` as in diffusers; shrink huge pictures.

        Args:
            size: of the picture.
            resolution: of the model.
            cell: side of a latent cell in pixels.
            step: in pixels; ``None``: a cell.
        """
        step = step or cell
        size = check_size(size)
        largest = LARGEST_OWN_SIZE * resolution
        fitted = size if max(size) <= largest else fit_size(size, largest)
        inner = max(fitted[0] - fitted[0] % step, step), max(fitted[1] - fitted[1] % step, step)
        return cls(size, inner, Padding(), cell)

    def on(self, window: CropWindow | None) -> Canvas:
        """Return a square canvas as large as this one that shows a window of the picture; ``None``: this canvas."""
        if window is None:
            return self
        inner = fit_size(window.size, max(self.pixels))
        return Canvas(self.size, inner, padding_to_square(inner), self.cell, window)

    def part(self, rows: slice, columns: slice) -> Canvas:
        """Return the canvas that shows a part of this one, at the same scale, to whole pixels of the picture.

        Args:
            rows: of this canvas, in pixels; with `columns` they hold part of the picture, not padding alone.
            columns: like `rows`.
        """
        shown = self.size if self.window is None else self.window.size
        corner = (0, 0) if self.window is None else (self.window.top, self.window.left)
        before = (self.padding.top, self.padding.left)
        inner, edges, first, last = [], [], [], []
        for axis, part in enumerate((rows, columns)):
            start, end = (min(max(side - before[axis], 0), self.inner[axis]) for side in (part.start, part.stop))
            inner.append(end - start)
            edges.append((start + before[axis] - part.start, part.stop - end - before[axis]))
            scale = shown[axis] / self.inner[axis]
            first.append(corner[axis] + min(round(start * scale), shown[axis] - 1))
            last.append(max(corner[axis] + round(end * scale), first[axis] + 1))
        (top, bottom), (left, right) = edges
        window = CropWindow(first[0], first[1], last[0] - first[0], last[1] - first[1])
        return Canvas(self.size, (inner[0], inner[1]), Padding(left, top, right, bottom), self.cell, window)

    @property
    def pixels(self) -> tuple[int, int]:
        """Size of the canvas in pixels."""
        bands = self.padding
        return self.inner[0] + bands.top + bands.bottom, self.inner[1] + bands.left + bands.right

    @property
    def cells(self) -> tuple[int, int]:
        """Size of the canvas in latent cells."""
        return self.pixels[0] // self.cell, self.pixels[1] // self.cell

    def place(self, image: torch.Tensor) -> torch.Tensor:
        """Place a picture `(B, C, H, W)` on the canvas."""
        return pad(resize(self._shown(image), self.inner), self.padding)

    def cut(self, image: torch.Tensor) -> torch.Tensor:
        """Bring canvas content `(B, C, h, w)` to the picture's own frame `(B, C, H, W)`, with 0 outside a window."""
        content = crop(image, self.padding)
        if self.window is None:
            return resize(content, self.size)
        return self.window.put_back(resize(content, self.window.size), self.size)

    def shown_cells(self) -> torch.Tensor:
        """Return `(h, w)` bool, True for latent cells that show part of the picture rather than padding only."""
        shown = torch.ones(1, 1, *self.inner)
        bands = self.padding
        return self._pool(F.pad(shown, (bands.left, bands.right, bands.top, bands.bottom)))[0, 0] > 0

    def cells_of(self, mask: torch.Tensor) -> torch.Tensor:
        """Return every latent cell that a mask of the picture touches.

        Args:
            mask: `(B, 1, H, W)` bool; at the picture's border it extends into the padding. What lies outside the
                window is ignored.

        Returns:
            `(B, 1, h, w)` bool.
        """
        fitted = F.adaptive_max_pool2d(self._shown(mask).float(), self.inner)
        return self._pool(pad(fitted, self.padding)) > 0

    def _shown(self, image: torch.Tensor) -> torch.Tensor:
        return image if self.window is None else self.window.cut_out(image)

    def _pool(self, values: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(values, self.cell)
