"""The second stage of an edit: pictures and prompts encoded, and the noise drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.utils import USE_PEFT_BACKEND, scale_lora_layers, unscale_lora_layers
from diffusers.utils.torch_utils import randn_tensor

from x2x_core.common.errors import InputError
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.inputs import ImageBatch

from .composition import match_channels
from .published import published_scheduler
from .reading import Reading
from .request import EditRequest
from .settings import EditSettings
from .state import Edit, to_view

# The U-Net's canvas in latent cells where its config does not say.
USUAL_CELLS = 64


class EditEncoding:
    """A part of `InstructX2XPipeline`, with its VAE, text encoder, scheduler and device."""

    def _encode(self, request: EditRequest, reading: Reading, settings: EditSettings) -> Edit:
        """Encode pictures and prompts, and draw the noise: the diffusion noise first, the relevance noise second."""
        copies = request.num_images_per_prompt
        owners = [picture for picture in reading.owners for _ in range(copies)]
        device = self._execution_device
        canvas = self._canvas(reading)
        channels = self.vae.config.latent_channels
        self._check_channels(channels)
        scheduler = self._scheduler(reading, settings)
        request.check_draws(len(owners), channels, canvas.cells, settings.relevance_levels)
        prompt_embeds = self._encode_prompts(request, reading, device)
        image_embeds = None
        if request.ip_adapter_image is not None or request.ip_adapter_image_embeds is not None:
            image_embeds = self.prepare_ip_adapter_image_embeds(
                request.ip_adapter_image, request.ip_adapter_image_embeds, device, len(owners), True
            )
        image_latents = self._encode_images(request, reading, canvas, device)
        images = reading.images or ImageBatch(to_view(self._decode(image_latents)), torch.float32)
        noise, relevance_noise = self._draw(request, reading, settings, canvas, len(owners), prompt_embeds.dtype)
        return Edit(
            request,
            scheduler,
            images.in_colour() if settings.reference else images,
            canvas,
            reading.instructions,
            owners,
            image_latents,
            prompt_embeds,
            image_embeds,
            noise,
            relevance_noise,
            None if request.prompt is None else self._wordings(request, reading),
        )

    def _scheduler(self, reading: Reading, settings: EditSettings) -> Any:
        if settings.reference:
            return published_scheduler(self.scheduler)
        if reading.restricted and not hasattr(self.scheduler, "alphas_cumprod"):
            raise InputError(
                "`scheduler` must be one for a noise schedule with `alphas_cumprod`, such as DDIM, Euler or "
                f"DPMSolverMultistep, got {type(self.scheduler).__name__}."
            )
        return self.scheduler

    def _canvas(self, reading: Reading) -> Canvas:
        cell = self.vae_scale_factor
        if reading.images is None:
            return Canvas.own(reading.size, max(reading.size), cell)
        cells = self.unet.config.sample_size or USUAL_CELLS
        resolution = cell * (cells if isinstance(cells, int) else max(cells))
        lay = Canvas.square if reading.restricted else Canvas.own
        return lay(reading.images.size, resolution, cell)

    def _check_channels(self, latent_channels: int) -> None:
        expected = self.unet.config.in_channels
        if expected != 2 * latent_channels:
            raise InputError(
                f"`unet` must take {2 * latent_channels} channels, the noisy latents and the image's, but it takes "
                f"{expected}: this is no InstructPix2Pix checkpoint."
            )

    def _encode_prompts(self, request: EditRequest, reading: Reading, device: torch.device) -> torch.Tensor:
        """`(3B, tokens, width)`: the branches [text, image, unconditional]."""
        pairs = reading.pairs
        numbers = [prompt for _, prompt in pairs]
        negative = request.negative_prompts(pairs)
        embeds, negative_embeds = request.prompt_embeds, request.negative_prompt_embeds
        if negative_embeds is not None and len(negative_embeds) not in (1, request.prompt_count):
            raise InputError(
                f"`negative_prompt_embeds` must be for one prompt or for each of the {request.prompt_count}, got "
                f"{len(negative_embeds)}."
            )
        if negative_embeds is not None:
            negative_embeds = negative_embeds[numbers if len(negative_embeds) > 1 else [0] * len(numbers)]
        with _lora_scaled(self.text_encoder, (request.cross_attention_kwargs or {}).get("scale")):
            return self._encode_prompt(
                None if request.prompt is None else self._wordings(request, reading),
                device,
                request.num_images_per_prompt,
                True,
                [negative] * len(pairs) if isinstance(negative, str) else negative,
                prompt_embeds=None if embeds is None else embeds[numbers],
                negative_prompt_embeds=negative_embeds,
            )

    def _wordings(self, request: EditRequest, reading: Reading) -> list[str]:
        """The prompts as the text encoder gets them: the user's words, or the canonical ones."""
        texts = [request.prompts[number] for _, number in reading.pairs]
        if not self.config.canonical_prompts:
            return texts
        return [str(one) if one.clauses else text for one, text in zip(reading.instructions, texts)]

    def _encode_images(
        self, request: EditRequest, reading: Reading, canvas: Canvas, device: torch.device
    ) -> torch.Tensor:
        """The unscaled mode of the posterior of each picture, `(N, C, h, w)`: one encoding serves every use."""
        if reading.images is None:
            return request.image.to(device, self.vae.dtype)
        pixels = match_channels(canvas.place(reading.images.pixels), self.vae.config.in_channels)
        if self.image_processor.config.do_normalize:
            pixels = self.image_processor.normalize(pixels)
        return self.vae.encode(pixels.to(device, self.vae.dtype)).latent_dist.mode()

    def _draw(
        self,
        request: EditRequest,
        reading: Reading,
        settings: EditSettings,
        canvas: Canvas,
        outputs: int,
        dtype: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Diffusion noise `(B, C, h, w)` and relevance noise `(B, L * K, C, h, w)`, K draws for each of L levels."""
        device, shape = self._execution_device, (self.vae.config.latent_channels, *canvas.cells)
        generator = list(request.generator) if isinstance(request.generator, tuple) else request.generator
        noise = relevance_noise = None
        if request.latents is None or reading.restricted:
            noise = randn_tensor((outputs, *shape), generator, device, dtype)
        if reading.restricted:
            samples = settings.relevance_levels * settings.relevance_samples
            relevance_noise = randn_tensor((outputs, samples, *shape), generator, device, dtype)
        if request.latents is not None:
            noise = request.latents.to(device, dtype).expand(outputs, *shape)
        if request.relevance_noise is not None:
            given = request.relevance_noise.to(device, dtype)
            if given.ndim == 4:  # one draw, at every level
                given = given[:, None].expand(-1, settings.relevance_levels, -1, -1, -1)
            relevance_noise = given.expand(outputs, *given.shape[1:])
        return noise, relevance_noise

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Unscaled latents to pixels `(B, C, h, w)`, about [-1, 1]."""
        return self.vae.decode(latents, return_dict=False)[0]


@contextmanager
def _lora_scaled(text_encoder: Any, scale: float | None) -> Iterator[None]:
    """LoRA layers of the text encoder weighted by `scale`, as `cross_attention_kwargs` does for the U-Net's."""
    if scale is None or text_encoder is None or not USE_PEFT_BACKEND:
        yield
        return
    scale_lora_layers(text_encoder, scale)
    try:
        yield
    finally:
        unscale_lora_layers(text_encoder, scale)
