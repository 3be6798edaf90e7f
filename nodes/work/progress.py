"""Progress, live preview and Cancel of a running pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any

import comfy.model_management as memory
import comfy.utils
import torch
from PIL import Image

from x2x_core.guidance.cfg import guided_noise
from x2x_core.guidance.relevance import predicted_noise
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.geometry import fit_size, resize

from .tensors import size_of

PREVIEW_SIDE = 512  # pixels, maximum of the longer side


@dataclass(frozen=True)
class UNetCall:
    """Input and output of a U-Net call: `(N, 2C, h, w)`, a timestep or one for each item, `(N, C, h, w)`."""

    sample: torch.Tensor
    timestep: Any
    prediction: torch.Tensor

    def belongs_to(self, timestep: Any) -> bool:
        """Return True if all items are of this timestep, as those of a denoising step are."""
        return bool((torch.as_tensor(self.timestep) == timestep).all())


class Watch:
    """Context in which U-Net calls advance ComfyUI's progress bar, and Cancel stops the run before the next call.

    Args:
        pipe: the pipeline.
        calls: expected number of U-Net calls.
    """

    def __init__(self, pipe: Any, calls: int) -> None:
        self._pipe, self._total, self._done = pipe, max(calls, 1), 0
        self._bar = comfy.utils.ProgressBar(self._total)
        self._hooks: list[Any] = []
        self.last: UNetCall | None = None

    def __enter__(self) -> Watch:
        unet, vae = self._pipe.unet, self._pipe.vae
        self._hooks = [
            unet.register_forward_hook(self._record),
            *(part.register_forward_pre_hook(_stop_if_cancelled) for part in (unet, vae.encoder, vae.decoder)),
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()
        self.last = None
        if kind is None:  # calls may have been saved
            self._bar.update_absolute(self._total, self._total)

    def _record(self, _: Any, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        self.last = UNetCall(inputs[0], inputs[1], outputs[0])
        self._done = min(self._done + 1, self._total)
        self._bar.update_absolute(self._done, self._total)

    def show(self, picture: Image.Image) -> None:
        """Send a preview to the page."""
        self._bar.update_absolute(self._done, self._total, ("JPEG", picture, PREVIEW_SIDE))


def as_preview(picture: torch.Tensor) -> Image.Image:
    """Convert `(1 | 3, H, W)` in [0, 1] to 8-bit colour whose longer side is at most `PREVIEW_SIDE`."""
    if max(picture.shape[-2:]) > PREVIEW_SIDE:
        picture = resize(picture[None], fit_size(size_of(picture), PREVIEW_SIDE))[0]
    values = (picture.expand(3, -1, -1).permute(1, 2, 0) * 255).round().to(torch.uint8)
    return Image.fromarray(values.numpy())


def _stop_if_cancelled(*_: Any) -> None:
    memory.throw_exception_if_processing_interrupted()


class Preview:
    """Preview of the current estimate of the result, drawn without the autoencoder, which can be slow.

    The clean latents are estimated from the last U-Net call and converted to grey levels or colours by the linear map
    that fits the radiograph's own latents best.

    Args:
        pipe: the pipeline, which runs.
        scheduler: the scheduler of the run; the preset "reference" does not use the pipeline's own.
        pixels: the radiograph `(1, C, H, W)` in [0, 1].
    """

    def __init__(self, pipe: Any, scheduler: Any, pixels: torch.Tensor) -> None:
        self._pipe, self._scheduler, self._pixels = pipe, scheduler, pixels
        self._map: torch.Tensor | None = None

    def __call__(self, call: UNetCall) -> Image.Image:
        """Return the preview of the first image after a U-Net call."""
        channels = self._pipe.vae.config.latent_channels
        clean = estimate_clean(self._pipe, self._scheduler, call)[0].cpu().float()
        canvas = self._pipe.canvases.each[0]
        if self._map is None:
            self._map = self._fit(call.sample[0, channels:].cpu().float(), canvas)
        values = _with_constant(clean / self._pipe.vae.config.scaling_factor) @ self._map
        small = values.T.reshape(1, -1, *clean.shape[-2:]).clamp(0, 1)
        shown = canvas.cut(resize(small, canvas.pixels))
        if canvas.window is not None:
            rows, columns = canvas.window.slices
            cropped, shown = shown, self._pixels.clone()
            shown[..., rows, columns] = cropped[..., rows, columns]
        return as_preview(shown[0])

    def _fit(self, image_latents: torch.Tensor, canvas: Canvas) -> torch.Tensor:
        """Fit `(C + 1, 1 | 3)`, from latent channels and a constant to grey or colour."""
        target = resize(canvas.place(self._pixels), size_of(image_latents))[0].flatten(1).T
        return torch.linalg.lstsq(_with_constant(image_latents), target).solution


def estimate_clean(pipe: Any, scheduler: Any, call: UNetCall) -> torch.Tensor:
    """Estimate the clean, scaled latents `(B, C, h, w)` from a guided prediction (Ho et al., DDPM, 2020, eq. 15).

    Args:
        pipe: the pipeline, for its guidance scales.
        scheduler: the scheduler of the run, for its noise schedule and prediction type.
        call: the U-Net call.
    """
    channels = pipe.vae.config.latent_channels
    prediction = call.prediction
    branches = len(prediction) // len(pipe.canvases.each)
    if branches > 1:
        text, image, *rest = prediction.chunk(branches)
        neither = rest[0] if rest else image  # left out in some steps of some presets
        prediction = guided_noise(text, image, neither, pipe.output_guidance_scale, pipe.image_guidance_scale)
    noisy = call.sample[: len(prediction), :channels]
    timestep = torch.as_tensor(call.timestep).flatten()[0]  # one for each item, all the same
    signal = float(scheduler.alphas_cumprod[int(timestep)])
    if scheduler.config.prediction_type == "v_prediction":  # also where no signal is left
        return signal**0.5 * noisy - (1 - signal) ** 0.5 * prediction
    noise = predicted_noise(prediction, noisy, signal, scheduler.config.prediction_type)
    return (noisy - (1 - signal) ** 0.5 * noise) / signal**0.5


def _with_constant(latents: torch.Tensor) -> torch.Tensor:
    """Return `(C, h, w)` as rows `(h * w, C + 1)` that end in 1."""
    rows = latents.flatten(1).T
    return torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
