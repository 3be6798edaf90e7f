"""The relevance map through ComfyUI's own sampling, with its memory management, patches and hooks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import comfy.model_management
import comfy.samplers
import comfy.utils
import torch

from x2x_core.common.checkpoint_layout import CELL_PIXELS
from x2x_core.common.errors import InputError
from x2x_core.edit.settings import DEFAULT, EditSettings
from x2x_core.guidance.relevance import (
    balance_levels,
    first_level,
    noise_disagreement,
    noise_timestep,
    relevance_from_disagreement,
    upsample,
)

from .cropping import encoded_part, uncrop
from .hinting import around_places, hint_strength, hinted_draws, place_cells
from .inputs import Conditionings, Latent, Model, image_samples, takes_image, to_batch, with_image
from .loading import SETTINGS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RelevanceOptions:
    """Noise of a relevance map, and the place that it names."""

    noise_levels: list[float] | None  # in [0, 1]; None: the checkpoint's recommendation
    draws: int  # per level; 0: the checkpoint's recommendation
    seed: int
    place: torch.Tensor | None = None  # MASK, where the finding is to lie; None or empty: open
    place_hint: float = 0.0  # strength of the hint; below 0: the checkpoint's recommendation


def relevance_mask(
    model: Model,
    conditionings: Conditionings,
    latent: Latent,
    options: RelevanceOptions,
    image_size: tuple[int, int] | None = None,
) -> torch.Tensor:
    """Compute the relevance map of a MODEL.

    Args:
        model: any model of pictures. InstructPix2Pix models are given the image's
            latents; the conditionings of others say themselves what the model sees of the image.
        conditionings: of the instruction and of an empty text.
        latent: of the image.
        options: noise levels, draws and seed.
        image_size: `(height, width)` of the image before VAE Encode, to which the map is aligned; ``None``: the map has
            the size of the cropped image.

    Returns:
        A MASK `(B, H, W)` in [0, 1], `(B, 8h, 8w)` without `image_size`; 0 where the instruction makes no difference.

    Raises:
        InputError: latents of another model, or another image than the latents'.
    """
    samples = image_samples(latent, model, "latent")
    part = _part(samples, image_size)
    settings: EditSettings = model.get_attachment(SETTINGS) or DEFAULT
    recommended = settings.relevance_noise_level
    levels = options.noise_levels or (recommended if isinstance(recommended, tuple) else (recommended,))
    sampling = model.get_model_object("model_sampling")
    sigmas = torch.stack([sampling.sigmas[noise_timestep(level, len(sampling.sigmas))] for level in levels]).cpu()
    noise = relevance_noise(samples, levels, options.draws or settings.relevance_samples, options.seed)
    cells = _cells(options, samples)
    if cells is not None:
        noise = hinted_draws(noise, cells, hint_strength(model, options.place_hint))
    sampler = RelevanceSampler(noise)
    pair = conditionings.positive, conditionings.negative
    if takes_image(model):
        pair = with_image(pair[0], samples), with_image(pair[1], samples)
    comfy.samplers.sample(
        model, noise[:, 0, 0], *pair, 1.0, model.load_device, sampler, sigmas, latent_image=samples, seed=options.seed
    )
    relevance, flat = relevance_from_disagreement(balance_levels(sampler.disagreement))
    for index in flat.nonzero().flatten().tolist():
        logger.warning(
            "The relevance map of image %d is flat: the instruction makes no difference to the model.", index
        )
    relevance = relevance if cells is None else around_places(relevance, cells)
    pixels = upsample(relevance, part).clamp(0, 1)
    return (pixels if image_size is None else uncrop(pixels, image_size, "replicate"))[:, 0].cpu()


def _cells(options: RelevanceOptions, samples: torch.Tensor) -> torch.Tensor | None:
    """Return how much each cell of the latents takes part in the place, `(B, 1, h, w)`; ``None`` without one."""
    if options.place is None:
        return None
    return to_batch(place_cells(options.place, (samples.shape[-2], samples.shape[-1])), len(samples), "place")


def _part(samples: torch.Tensor, image_size: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size of the picture's part that the latents represent."""
    rows, columns = samples.shape[-2:]
    if image_size is None:
        return CELL_PIXELS * rows, CELL_PIXELS * columns
    part = encoded_part(image_size, (rows, columns))
    if part is None:
        raise InputError(
            f"`image` must be the image that `latent` was encoded from, but {image_size[0]}x{image_size[1]} pixels "
            f"(height x width) do not give {rows}x{columns} latents."
        )
    return part[0].stop - part[0].start, part[1].stop - part[1].start


def relevance_noise(samples: torch.Tensor, levels: Sequence[float], draws: int, seed: int) -> torch.Tensor:
    """Draw the noise that the pipeline uses for the relevance map with this seed: after the noise of the edit.

    The first draw at level 1 is the noise of the edit.

    Args:
        samples: latents `(B, C, ...)`.
        levels: L noise levels.
        draws: K, number of draws per level.
        seed: of a CPU generator, restarted for each image: an image of a batch has the same noise as a single image.

    Returns:
        `(B, L, K, C, ...)`.
    """
    generator = torch.Generator().manual_seed(seed)
    own = torch.randn(samples.shape[1:], generator=generator)  # RandomNoise uses this one
    noise = torch.randn((len(levels), draws, *samples.shape[1:]), generator=generator)
    first = first_level(levels)
    if first is not None:
        noise[first, 0] = own
    return noise.expand(len(samples), *[-1] * (samples.ndim + 1))


class RelevanceSampler(comfy.samplers.Sampler):
    """A SAMPLER that compares predictions with and without the instruction at each noise level, without denoising.

    Args:
        noise: `(B, L, K, C, h, w)` or `(B, L, K, C, 1, h, w)`, K draws at each of L levels for each image.
    """

    def __init__(self, noise: torch.Tensor) -> None:
        self.noise = noise
        self._draws: list[torch.Tensor] = []

    @property
    def disagreement(self) -> torch.Tensor:
        """Difference of the two noise predictions after a run, `(B, L, K, h, w)` float32."""
        return torch.cat(self._draws, dim=1).unflatten(1, tuple(self.noise.shape[1:3]))

    def sample(
        self,
        model_wrap: Any,
        sigmas: torch.Tensor,
        extra_args: dict[str, Any],
        callback: Any,
        noise: torch.Tensor,
        latent_image: torch.Tensor,
        denoise_mask: torch.Tensor | None = None,
        disable_pbar: bool = False,
    ) -> torch.Tensor:
        """Compare predictions at one sigma per level, and return the latents unchanged."""
        levels, draws = self.noise.shape[1:3]
        progress = comfy.utils.ProgressBar(levels * draws)
        self._draws = []
        for sigma, level in zip(sigmas, self.noise.unbind(dim=1)):
            for draw in level.unbind(dim=1):
                comfy.model_management.throw_exception_if_processing_interrupted()
                noisy = model_wrap.inner_model.model_sampling.noise_scaling(sigma, draw.to(noise), latent_image)
                self._draws.append(_disagreement(model_wrap, sigma, extra_args["model_options"], noisy))
                progress.update(1)
        return latent_image


def _disagreement(guider: Any, sigma: torch.Tensor, model_options: dict[str, Any], noisy: torch.Tensor) -> torch.Tensor:
    """Return the difference of the noise predictions for noisy latents, `(B, 1, h, w)`.

    For flow matching it is that of the predicted velocities, which differ as the noise does but for a factor.
    """
    conds = [guider.conds["positive"], guider.conds["negative"]]
    denoised = comfy.samplers.calc_cond_batch(guider.inner_model, conds, noisy, sigma.expand(len(noisy)), model_options)
    disagreement = noise_disagreement(*((noisy - prediction) / sigma for prediction in denoised))
    return disagreement if disagreement.ndim == 4 else disagreement[:, :, 0]
