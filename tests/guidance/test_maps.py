"""Guidance: the scales, the map, the mask and its soft edge, the background."""

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
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.guidance.maps import (
    blend,
    guidance_map,
    guidance_mask,
    guided_noise,
    noised_background,
)

SEEDS = st.integers(0, 999)
SIDES = st.integers(1, 24)


def random_mask(height, width, seed, share=0.5):
    return torch.rand(1, 1, height, width, generator=seeded(seed)) < share


# -- scales -----------------------------------------------------------------------------------------------------------


@given(seed=SEEDS, text=st.floats(-3, 15), image=st.floats(-3, 5))
def test_guidance_leads_from_neither_to_the_image_to_the_text(seed, text, image):
    branches = torch.randn(3, 2, 4, 3, 3, generator=seeded(seed))
    found = guided_noise(branches.flatten(0, 1), text, image)
    expected = branches[2] + text * (branches[0] - branches[1]) + image * (branches[1] - branches[2])
    assert torch.allclose(found, expected, atol=1e-4)


def test_scales_of_one_are_the_text_branch():
    branches = torch.randn(3, 2, 4, 3, 3, generator=seeded())
    assert torch.allclose(guided_noise(branches.flatten(0, 1), 1, 1), branches[0], atol=1e-5)


def test_each_picture_can_have_a_scale_of_its_own_in_the_types_of_the_predictions():
    branches = torch.randn(3, 2, 4, 3, 3, generator=seeded(), dtype=torch.float64).to(torch.bfloat16).flatten(0, 1)
    each = guided_noise(branches, torch.tensor([2.0, 5.0]).view(-1, 1, 1, 1), 1.5)
    assert each.dtype == torch.bfloat16
    assert torch.equal(each, torch.stack([guided_noise(branches, scale, 1.5)[n] for n, scale in enumerate((2.0, 5.0))]))


# -- map and mask -----------------------------------------------------------------------------------------------------


@given(seed=SEEDS, height=SIDES, width=SIDES, threshold=st.floats(0, 1))
def test_the_mask_lies_within_the_pseudomask_and_shrinks_with_the_threshold(seed, height, width, threshold):
    draws = torch.rand(2, 1, 1, height, width, generator=seeded(seed))
    pseudomask = draws[0] * (draws[0] > 0.3)
    found = guidance_map(draws[1], pseudomask)
    assert found.min() >= 0 and found.max() <= 1
    mask = guidance_mask(found, threshold, pseudomask)
    assert not (mask & (pseudomask == 0)).any()
    assert not (guidance_mask(found, min(1.0, threshold + 0.1), pseudomask) & ~mask).any()


def test_a_threshold_of_zero_takes_the_pseudomask_and_by_the_published_rule_everything():
    pseudomask = torch.tensor([[0.0, 0.5], [1.0, 0.0]])[None, None]
    found = guidance_map(torch.zeros(1, 1, 2, 2), pseudomask)
    assert torch.equal(guidance_mask(found, 0, pseudomask), pseudomask > 0)
    assert guidance_mask(found, 0).all()


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="of one size"):
        guidance_map(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 8, 8))


# -- background -------------------------------------------------------------------------------------------------------


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
    """A model that knows the noise leads latents along the very path of the background."""
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
