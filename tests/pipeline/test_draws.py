"""Seeds, given noise, and the draws of the relevance map."""

import numpy as np
import pytest
import torch
from edit_cases import CELLS, edit, same
from PIL import Image
from tiny_models import PROMPT, make_radiograph, seeded

from x2x_core.edit.outputs import InstructX2XGuidanceOutput, InstructX2XRelevanceOutput
from x2x_core.guidance.relevance import relevance_from_disagreement


def test_the_same_seed_gives_the_same_bytes(pipe, radiograph):
    first, second = edit(pipe, radiograph), edit(pipe, radiograph)
    assert same(first.images, second.images) and torch.equal(first.relevance_map, second.relevance_map)


def test_looking_first_gives_the_maps_of_the_full_call(pipe, radiograph):
    full = edit(pipe, radiograph, mask_threshold=0.2, relevance_samples=3)
    seen = pipe.guidance(radiograph, PROMPT, mask_threshold=0.2, relevance_samples=3, generator=seeded())
    alone = pipe.relevance(radiograph, PROMPT, relevance_samples=3, generator=seeded())
    assert isinstance(seen, InstructX2XGuidanceOutput) and isinstance(alone, InstructX2XRelevanceOutput)
    for name in ("relevance_map", "pseudomask", "guidance_map", "guidance_mask"):
        assert torch.equal(getattr(full, name), getattr(seen, name))
    assert torch.equal(full.relevance_map, alone.relevance_map) and full.instructions == seen.instructions
    assert alone.latent_relevance_map.shape == (1, 1, CELLS, CELLS)


@pytest.mark.parametrize("scheduler", ["DDIMScheduler", "EulerAncestralDiscreteScheduler"])
def test_a_mask_handed_back_gives_the_same_edit(pipe, scheduler):
    import diffusers

    pipe.scheduler = getattr(diffusers, scheduler).from_config(pipe.scheduler.config)
    image = Image.fromarray(make_radiograph(100, 80))
    full = edit(pipe, image, mask_threshold=0.3, eta=0.5)
    mask = pipe.guidance(image, PROMPT, mask_threshold=0.3, generator=seeded()).guidance_mask
    again = edit(pipe, image, guidance_mask=mask, eta=0.5)
    assert same(full.images, again.images) and torch.equal(again.guidance_mask, full.guidance_mask)
    assert again.relevance_map is None and again.pseudomask is None
    assert torch.equal(again.guidance_map, mask.float())


def test_given_noise_is_used(pipe, radiograph):
    noise, other = torch.randn(2, 1, 4, CELLS, CELLS, generator=seeded(5))
    first = edit(pipe, radiograph, latents=noise, relevance_noise=other, generator=seeded(1))
    second = edit(pipe, radiograph, latents=noise, relevance_noise=other, generator=seeded(2))
    assert same(first.images, second.images) and torch.equal(first.relevance_map, second.relevance_map)
    third = edit(pipe, radiograph, latents=other, relevance_noise=noise)
    assert not torch.equal(first.relevance_map, third.relevance_map)
    several = torch.stack([noise, other], dim=1)
    averaged = pipe.relevance(radiograph, PROMPT, relevance_noise=several).latent_relevance_map
    assert not torch.allclose(averaged, pipe.relevance(radiograph, PROMPT, relevance_noise=noise).latent_relevance_map)


def test_several_noise_levels_are_each_read_at_their_own_and_averaged(pipe, radiograph):
    noise = torch.randn(1, 2, 4, CELLS, CELLS, generator=seeded(5))
    look = {"relevance_noise": noise, "relevance_noise_level": [0.3, 0.8]}
    found = pipe.relevance(radiograph, PROMPT, **look).latent_relevance_map
    own = [
        pipe.relevance(radiograph, PROMPT, relevance_noise=some, relevance_noise_level=level).latent_relevance_map
        for some, level in ((noise[:, 0], 0.3), (noise[:, 1], 0.8))
    ]
    expected, _ = relevance_from_disagreement(torch.stack(own).mean(dim=0))
    assert torch.allclose(found, expected, atol=1e-4) and not torch.allclose(found, own[1], atol=1e-2)


def test_a_list_of_one_level_is_that_level(pipe, radiograph):
    one, listed = (edit(pipe, radiograph, relevance_noise_level=level) for level in (0.6, [0.6]))
    assert same(one.images, listed.images) and torch.equal(one.relevance_map, listed.relevance_map)


def test_levels_have_noise_of_their_own_drawn_after_the_diffusion_noise(pipe, radiograph):
    generator = seeded(3)
    noise = torch.randn(1, 4, CELLS, CELLS, generator=generator)
    relevance_noise = torch.randn(1, 4, 4, CELLS, CELLS, generator=generator)
    arguments = {"relevance_noise_level": [0.3, 0.8], "relevance_samples": 2}
    drawn = edit(pipe, radiograph, generator=seeded(3), **arguments)
    given = edit(pipe, radiograph, latents=noise, relevance_noise=relevance_noise, **arguments)
    assert same(drawn.images, given.images) and torch.equal(drawn.relevance_map, given.relevance_map)


def test_a_single_draw_is_used_at_every_noise_level(pipe, radiograph):
    noise = torch.randn(1, 4, CELLS, CELLS, generator=seeded(5))
    levels = {"relevance_noise_level": [0.3, 0.8]}
    once = pipe.relevance(radiograph, PROMPT, relevance_noise=noise, **levels)
    twice = pipe.relevance(radiograph, PROMPT, relevance_noise=torch.stack([noise, noise], dim=1), **levels)
    assert torch.equal(once.relevance_map, twice.relevance_map)


def test_the_uncertainty_of_the_relevance_is_given_where_there_are_several_draws(pipe):
    image = make_radiograph(33, 47)
    output = edit(pipe, image, relevance_samples=2)
    found = output.relevance_uncertainty
    assert found.shape == (1, 1, 33, 47) and found.dtype == torch.float32
    assert found.min() >= 0 and 0 < found.max() <= 1
    for look in (pipe.guidance, pipe.relevance):
        assert torch.equal(look(image, PROMPT, relevance_samples=2, generator=seeded()).relevance_uncertainty, found)
    levels = pipe.relevance(image, PROMPT, relevance_samples=1, relevance_noise_level=[0.5, 0.8])
    assert levels.relevance_uncertainty.max() > 0
    assert edit(pipe, image, relevance_samples=1).relevance_uncertainty is None
    assert edit(pipe, image, reference=True).relevance_uncertainty is None
    assert edit(pipe, image, guidance_mask=np.ones((33, 47))).relevance_uncertainty is None


def test_given_latents_do_not_change_the_relevance_map_of_a_seed(pipe, radiograph):
    noise = torch.randn(1, 4, CELLS, CELLS, generator=seeded(5))
    assert torch.equal(edit(pipe, radiograph, latents=noise).relevance_map, edit(pipe, radiograph).relevance_map)


def test_the_global_generator_is_drawn_from_only_where_none_is_given(pipe, radiograph):
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    edit(pipe, radiograph)
    assert torch.equal(torch.random.get_rng_state(), state)
    edit(pipe, radiograph, generator=None)
    assert not torch.equal(torch.random.get_rng_state(), state)
