"""The canvas: how a picture of any size and shape lies in the square that a model works on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .geometry import Padding, check_size, crop, fit_size, pad, padding_to_square, resize

# A picture that is edited without restriction is worked on at its own size, up to this many times the model's.
LARGEST_OWN_SIZE = 2


@dataclass(frozen=True)
class Canvas:
    """A picture's place on the model's canvas. Sizes are `(height, width)` in pixels."""

    size: tuple[int, int]  # the picture's own
    inner: tuple[int, int]  # what the picture is scaled to
    padding: Padding  # bands around it, filled with its repeated border
    cell: int  # pixels of the canvas to a side of a latent cell

    @classmethod
    def square(cls, size: tuple[int, int], resolution: int, cell: int) -> Canvas:
        """The picture scaled, its shape kept, into a square of `resolution` pixels."""
        size = check_size(size)
        inner = fit_size(size, resolution)
        return cls(size, inner, padding_to_square(inner), cell)

    @classmethod
    def own(cls, size: tuple[int, int], resolution: int, cell: int) -> Canvas:
        """The picture at its own size, cut to whole latent cells as diffusers does; scaled down where it is huge."""
        size = check_size(size)
        largest = LARGEST_OWN_SIZE * resolution
        fitted = size if max(size) <= largest else fit_size(size, largest)
        inner = tuple(max(side - side % cell, cell) for side in fitted)
        return cls(size, inner, Padding(), cell)

    @property
    def pixels(self) -> tuple[int, int]:
        """The canvas's own size."""
        bands = self.padding
        return self.inner[0] + bands.top + bands.bottom, self.inner[1] + bands.left + bands.right

    @property
    def cells(self) -> tuple[int, int]:
        """Its size in latent cells."""
        return self.pixels[0] // self.cell, self.pixels[1] // self.cell

    def place(self, image: torch.Tensor) -> torch.Tensor:
        """Lay a picture `(B, C, H, W)` on the canvas."""
        return pad(resize(image, self.inner), self.padding)

    def cut(self, image: torch.Tensor) -> torch.Tensor:
        """Bring what lies on the canvas, `(B, C, h, w)`, back to the picture's own frame `(B, C, H, W)`."""
        return resize(crop(image, self.padding), self.size)

    def shown_cells(self) -> torch.Tensor:
        """Which latent cells show some of the picture, not padding alone: `(h, w)` bool."""
        shown = torch.ones(1, 1, *self.inner)
        bands = self.padding
        return self._pool(F.pad(shown, (bands.left, bands.right, bands.top, bands.bottom)))[0, 0] > 0

    def cells_of(self, mask: torch.Tensor) -> torch.Tensor:
        """Every latent cell that a mask of the picture touches.

        Args:
            mask: `(B, 1, H, W)` bool. Where it meets the picture's border it goes on into the padding.

        Returns:
            `(B, 1, h, w)` bool.
        """
        fitted = F.adaptive_max_pool2d(mask.float(), self.inner)
        return self._pool(pad(fitted, self.padding)) > 0

    def _pool(self, values: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(values, self.cell)
