"""A running pipeline watched: progress, live preview, Cancel."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any

import comfy.model_management as memory
import comfy.utils
import torch
from PIL import Image

from x2x_core.guidance.cfg import BRANCHES, guided_noise
from x2x_core.guidance.relevance import predicted_noise
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.geometry import fit_size, resize

PREVIEW_SIDE = 512  # pixels of a preview's longer side at most


@dataclass(frozen=True)
class UNetCall:
    """What the U-Net was last given, and what it predicted: `(N, 2C, h, w)`, a timestep, `(N, C, h, w)`."""

    sample: torch.Tensor
    timestep: Any
    prediction: torch.Tensor


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
        self.last: UNetCall | None = None

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
        self.last = None

    def _step(self, _: Any, given: tuple, predicted: tuple) -> None:
        self.last = UNetCall(given[0], given[1], predicted[0])
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
    """The picture that the model has in mind, drawn without the autoencoder, which can be slow.

    The clean latents are estimated from the last call of the U-Net, and turned to grey values by the linear map that fits
    this radiograph's own latents best.

    Args:
        pipe: the pipeline.
        pixels: the radiograph `(1, C, H, W)` in [0, 1].
    """

    def __init__(self, pipe: Any, pixels: torch.Tensor) -> None:
        self._pipe, self._pixels, self._cell = pipe, pixels, pipe.vae_scale_factor
        self._map: torch.Tensor | None = None

    def __call__(self, call: UNetCall) -> Image.Image:
        """The picture of the first image after a call of the U-Net."""
        channels = self._pipe.vae.config.latent_channels
        clean = estimate_clean(self._pipe, call)[0].cpu().float()
        canvas = self._canvas(tuple(clean.shape[-2:]))
        if self._map is None:
            self._map = self._fit(call.sample[0, channels:].cpu().float(), canvas)
        values = _with_one(clean / self._pipe.vae.config.scaling_factor) @ self._map
        small = values.T.reshape(1, -1, *clean.shape[-2:]).clamp(0, 1)
        return as_preview(canvas.cut(resize(small, canvas.pixels))[0])

    def _canvas(self, cells: tuple[int, int]) -> Canvas:
        size, side = tuple(self._pixels.shape[-2:]), max(cells) * self._cell
        square = Canvas.square(size, side, self._cell)
        return square if square.cells == cells else Canvas.own(size, side, self._cell)

    def _fit(self, image_latents: torch.Tensor, canvas: Canvas) -> torch.Tensor:
        """`(C + 1, 1 | 3)`: from latent channels and a one to grey or colour."""
        target = resize(canvas.place(self._pixels), tuple(image_latents.shape[-2:]))[0].flatten(1).T
        return torch.linalg.lstsq(_with_one(image_latents), target).solution


def estimate_clean(pipe: Any, call: UNetCall) -> torch.Tensor:
    """The clean, scaled latents `(B, C, h, w)` that a guided prediction points to (Ho et al., DDPM, 2020, eq. 15)."""
    channels = pipe.vae.config.latent_channels
    prediction = call.prediction
    if pipe.do_classifier_free_guidance:
        prediction = guided_noise(*prediction.chunk(BRANCHES), pipe.output_guidance_scale, pipe.image_guidance_scale)
    noisy = call.sample[: len(prediction), :channels]
    signal = float(pipe.scheduler.alphas_cumprod[int(call.timestep)])
    noise = predicted_noise(prediction, noisy, signal, pipe.scheduler.config.prediction_type)
    return (noisy - (1 - signal) ** 0.5 * noise) / signal**0.5


def _with_one(latents: torch.Tensor) -> torch.Tensor:
    """`(C, h, w)` as rows `(h * w, C + 1)` whose last number is 1."""
    rows = latents.flatten(1).T
    return torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
