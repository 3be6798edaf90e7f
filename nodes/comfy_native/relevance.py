"""The relevance map through ComfyUI's own sampling, so that its memory management, patches and hooks hold."""

from __future__ import annotations

import logging
from typing import Any

import comfy.model_management
import comfy.samplers
import comfy.utils
import torch

from x2x_core.edit.settings import DEFAULT
from x2x_core.guidance.relevance import (
    balance_levels,
    noise_disagreement,
    noise_timestep,
    relevance_from_disagreement,
    upsample,
)

from .inputs import check_model, image_samples, with_image
from .loading import SETTINGS

logger = logging.getLogger(__name__)

CELL = 8  # pixels of the mask to a side of a latent cell


def relevance_mask(
    model: Any,
    positive: Any,
    negative: Any,
    latent: dict[str, Any],
    noise_levels: list[float] | None,
    draws: int,
    seed: int,
) -> torch.Tensor:
    """Where the instruction matters to a MODEL.

    Args:
        model: ComfyUI's, of InstructPix2Pix.
        positive: CONDITIONING of the instruction.
        negative: CONDITIONING of an empty text.
        latent: LATENT of the image.
        noise_levels: shares of the noise schedule, [0, 1]; ``None``: what the checkpoint recommends.
        draws: of the noise, to average over at each level; 0: what the checkpoint recommends.
        seed: of the noise.

    Returns:
        A MASK `(B, 8h, 8w)` in [0, 1], 0 everywhere where the instruction makes no difference.

    Raises:
        InputError: another model, or latents of another one.
    """
    check_model(model)
    samples = image_samples(latent, model, "latent")
    settings = model.get_attachment(SETTINGS) or DEFAULT
    levels = noise_levels or settings.relevance_noise_level
    levels = levels if isinstance(levels, (list, tuple)) else [levels]
    sampling = model.get_model_object("model_sampling")
    sigmas = torch.stack([sampling.sigmas[noise_timestep(level, len(sampling.sigmas))] for level in levels]).cpu()
    noise = relevance_noise(samples, len(levels), draws or settings.relevance_samples, seed)
    sampler = RelevanceSampler(noise)
    conds = with_image(positive, samples), with_image(negative, samples)
    comfy.samplers.sample(
        model, noise[:, 0, 0], *conds, 1.0, model.load_device, sampler, sigmas, latent_image=samples, seed=seed
    )
    relevance, flat = relevance_from_disagreement(balance_levels(sampler.disagreement))
    for number in flat.nonzero().flatten().tolist():
        logger.warning(
            "The relevance map of image %d is flat: the instruction makes no difference to the model.", number
        )
    return upsample(relevance, (CELL * relevance.shape[-2], CELL * relevance.shape[-1]))[:, 0].clamp(0, 1).cpu()


def relevance_noise(samples: torch.Tensor, levels: int, draws: int, seed: int) -> torch.Tensor:
    """The noise that the pipeline draws for the relevance map with this seed: after that of the edit.

    Args:
        samples: latents `(B, C, h, w)`.
        levels: L, noise levels.
        draws: K, at each of them.
        seed: of a generator on the CPU, for each image anew: a batch gets what its images get alone.

    Returns:
        `(B, L, K, C, h, w)`.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.randn(samples.shape[1:], generator=generator)  # RandomNoise draws this one
    return torch.randn((levels, draws, *samples.shape[1:]), generator=generator).expand(len(samples), *[-1] * 5)


class RelevanceSampler(comfy.samplers.Sampler):
    """A SAMPLER that denoises nothing: at each noise level it asks the model with the instruction and without.

    After a run `disagreement` holds how far the two noise predictions differ, `(B, L, K, h, w)` float32.
    """

    def __init__(self, noise: torch.Tensor) -> None:
        """`noise`: `(B, L, K, C, h, w)`, K draws at each of L levels for each image."""
        self.noise = noise
        self.disagreement: torch.Tensor | None = None

    def sample(
        self,
        model_wrap: Any,
        sigmas: torch.Tensor,
        extra_args: dict[str, Any],
        callback: Any,
        noise: torch.Tensor,
        latent_image: torch.Tensor | None = None,
        denoise_mask: torch.Tensor | None = None,
        disable_pbar: bool = False,
    ) -> torch.Tensor:
        """ComfyUI's call, with one sigma for each level. Gives the latents back as they came."""
        levels, draws = self.noise.shape[1:3]
        progress = comfy.utils.ProgressBar(levels * draws)
        found = []
        for sigma, some in zip(sigmas, self.noise.unbind(dim=1)):
            for draw in some.unbind(dim=1):
                comfy.model_management.throw_exception_if_processing_interrupted()
                found.append(
                    _disagreement(model_wrap, sigma, extra_args["model_options"], draw.to(noise), latent_image)
                )
                progress.update(1)
        self.disagreement = torch.cat(found, dim=1).unflatten(1, (levels, draws))
        return latent_image


def _disagreement(
    guider: Any, sigma: torch.Tensor, model_options: dict[str, Any], noise: torch.Tensor, latents: torch.Tensor
) -> torch.Tensor:
    """Of one draw of noise at one level, `(B, 1, h, w)`."""
    noisy = guider.inner_model.model_sampling.noise_scaling(sigma, noise, latents)
    conds = [guider.conds["positive"], guider.conds["negative"]]
    denoised = comfy.samplers.calc_cond_batch(guider.inner_model, conds, noisy, sigma.expand(len(noisy)), model_options)
    return noise_disagreement(*((noisy - one) / sigma for one in denoised))
