"""The canvases of a batch: one for each output, all of one size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from .canvas import Canvas
from .crop_window import CropWindow


@dataclass(frozen=True)
class Canvases:
    """The canvas of each of B outputs. All have the same size, but they may show different windows of their pictures.

    What is done to a batch whose outputs share one canvas is done at once.
    """

    each: tuple[Canvas, ...]

    @property
    def pixels(self) -> tuple[int, int]:
        """Size of each canvas in pixels."""
        return self.each[0].pixels

    @property
    def cells(self) -> tuple[int, int]:
        """Size of each canvas in latent cells."""
        return self.each[0].cells

    @property
    def windows(self) -> list[CropWindow | None] | None:
        """The window of each output, ``None`` for a whole picture; ``None`` instead of the list if all are whole."""
        windows = [canvas.window for canvas in self.each]
        return windows if any(windows) else None

    @property
    def shares(self) -> list[float] | None:
        """The share of its picture's longer side that each canvas shows; ``None`` if all pictures are whole."""
        if self.windows is None:
            return None
        shown = [canvas.size if canvas.window is None else canvas.window.size for canvas in self.each]
        return [max(part) / max(canvas.size) for part, canvas in zip(shown, self.each)]

    def groups(self) -> list[tuple[Canvas, list[int]]]:
        """Return the different canvases, each with the indices of its outputs."""
        groups: dict[Canvas, list[int]] = {}
        for index, canvas in enumerate(self.each):
            groups.setdefault(canvas, []).append(index)
        return list(groups.items())

    def place(self, images: torch.Tensor) -> torch.Tensor:
        """Place the picture of each output, `(B, C, H, W)`, on its canvas."""
        return self._apply(Canvas.place, images)

    def cut(self, images: torch.Tensor) -> torch.Tensor:
        """Bring the canvas content of each output `(B, C, h, w)` to its picture's own frame, as `Canvas.cut` does."""
        return self._apply(Canvas.cut, images)

    def cells_of(self, mask: torch.Tensor) -> torch.Tensor:
        """Return the latent cells `(B, 1, h, w)` that the mask of each output touches, as `Canvas.cells_of` does."""
        return self._apply(Canvas.cells_of, mask)

    def _apply(self, function: Callable[[Canvas, torch.Tensor], torch.Tensor], values: torch.Tensor) -> torch.Tensor:
        if len(set(self.each)) == 1:
            return function(self.each[0], values)
        return torch.cat([function(canvas, own[None]) for canvas, own in zip(self.each, values, strict=True)])
