"""A running pipeline watched: progress, live preview, Cancel."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import comfy.model_management as memory
import comfy.utils
import torch
from PIL import Image
from x2x_core.canvas import Canvas
from x2x_core.imaging.geometry import fit_size, resize

PREVIEW_SIDE = 512  # pixels of a preview's longer side at most


class Watch:
    """While it is open, each call of the pipeline's U-Net moves ComfyUI's bar, and Cancel ends the run before the next.

    Args:
        pipe: the pipeline.
        calls: how many calls of the U-Net are expected.
    """

    def __init__(self, pipe: Any, calls: int) -> None:
        self._pipe, self._total, self._done = pipe, max(calls, 1), 0
        self._bar = comfy.utils.ProgressBar(self._total)
        self._hooks: list[Any] = []

    def __enter__(self) -> Watch:
        unet, vae = self._pipe.unet, self._pipe.vae
        self._hooks = [
            unet.register_forward_hook(self._step),
            *(part.register_forward_pre_hook(_stop_if_cancelled) for part in (unet, vae.encoder, vae.decoder)),
        ]
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for hook in self._hooks:
            hook.remove()

    def _step(self, *_: Any) -> None:
        self._done = min(self._done + 1, self._total)
        self._bar.update_absolute(self._done, self._total)

    def show(self, picture: Image.Image) -> None:
        """Send a preview of the picture so far."""
        self._bar.update_absolute(self._done, self._total, ("JPEG", picture, PREVIEW_SIDE))


def as_preview(picture: torch.Tensor) -> Image.Image:
    """A picture `(1 | 3, H, W)` in [0, 1] for the page: 8-bit colour, its longer side `PREVIEW_SIDE` at most."""
    size = tuple(picture.shape[-2:])
    if max(size) > PREVIEW_SIDE:
        picture = resize(picture[None], fit_size(size, PREVIEW_SIDE))[0]
    values = (picture.expand(3, -1, -1).permute(1, 2, 0) * 255).round().to(torch.uint8)
    return Image.fromarray(values.numpy())


def _stop_if_cancelled(*_: Any) -> None:
    memory.throw_exception_if_processing_interrupted()


class Preview:
    """Latents as a picture, without the autoencoder: by the linear map that fits this radiograph's own latents best.

    Args:
        pixels: the radiograph `(1, C, H, W)` in [0, 1].
        cell: pixels to a side of a latent cell.
        scaling: of the latents.
    """

    def __init__(self, pixels: torch.Tensor, cell: int, scaling: float) -> None:
        self._pixels, self._cell, self._scaling = pixels, cell, scaling
        self._map: torch.Tensor | None = None

    def __call__(self, latents: torch.Tensor, image_latents: torch.Tensor) -> Image.Image:
        """The picture of one set of scaled latents `(C, h, w)`, given the radiograph's own, unscaled `(C, h, w)`."""
        canvas = self._canvas(tuple(latents.shape[-2:]))
        if self._map is None:
            self._map = self._fit(image_latents.detach().cpu().float(), canvas)
        values = _with_one(latents.detach().cpu().float() / self._scaling) @ self._map
        small = values.T.reshape(1, -1, *latents.shape[-2:]).clamp(0, 1)
        return as_preview(canvas.cut(resize(small, canvas.pixels))[0])

    def _canvas(self, cells: tuple[int, int]) -> Canvas:
        size, side = tuple(self._pixels.shape[-2:]), max(cells) * self._cell
        square = Canvas.square(size, side, self._cell)
        return square if square.cells == cells else Canvas.own(size, side, self._cell)

    def _fit(self, image_latents: torch.Tensor, canvas: Canvas) -> torch.Tensor:
        """`(C + 1, 1 | 3)`: from latent channels and a one to grey or colour."""
        target = resize(canvas.place(self._pixels), tuple(image_latents.shape[-2:]))[0].flatten(1).T
        return torch.linalg.lstsq(_with_one(image_latents), target).solution


def _with_one(latents: torch.Tensor) -> torch.Tensor:
    """`(C, h, w)` as rows `(h * w, C + 1)` whose last number is 1."""
    rows = latents.flatten(1).T
    return torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
