"""The noised original that is blended in outside the mask."""

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)
from tiny_models import seeded

from x2x_core.edit.background import blend, noised_background


def random_mask(height, width, seed, share=0.5):
    return torch.rand(1, 1, height, width, generator=seeded(seed)) < share


def test_blending_keeps_the_background_bit_for_bit_even_beside_infinity():
    mask = random_mask(5, 5, seed=3)
    latents, background = torch.full((1, 4, 5, 5), float("inf")), torch.randn(1, 4, 5, 5, generator=seeded())
    found = blend(latents, background, mask)
    assert torch.equal(found[:, :, ~mask[0, 0]], background[:, :, ~mask[0, 0]])


SCHEDULERS = [
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
]


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_the_background_has_the_noise_of_the_coming_step(kind):
    """A model that knows the noise moves latents exactly along the background's path."""
    settings = {PNDMScheduler: {"skip_prk_steps": True}, DDIMScheduler: {"clip_sample": False}}.get(kind, {})
    scheduler = kind(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", **settings)
    scheduler.set_timesteps(6)
    timesteps = scheduler.timesteps
    clean, noise = torch.randn(2, 1, 4, 6, 6, generator=seeded(), dtype=torch.float64)
    latents = noised_background(scheduler, clean, noise, timesteps, 0)
    for i, t in enumerate(timesteps):
        scheduler.scale_model_input(latents, t)
        latents = scheduler.step(noise, t, latents).prev_sample
        background = noised_background(scheduler, clean, noise, timesteps, i + 1)
        if i < len(timesteps) - 1:  # the last step of some schedulers leaves a rest of noise
            assert torch.allclose(latents, background, atol=2e-2 * float(background.std())), (i, t)
    assert torch.equal(background, clean)
