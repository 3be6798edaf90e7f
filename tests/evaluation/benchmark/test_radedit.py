"""RadEdit's arithmetic against diffusers' DDIM and an edit worked out step by step, on a tiny model."""

import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from tiny_models import PROMPT, make_pipeline, make_radiograph, make_scheduler

from x2x_core.common.errors import InputError
from x2x_core.evaluation.benchmark.radedit import Steps, denoise_masked, invert, radedit
from x2x_core.evaluation.benchmark.rows import RADEDIT
from x2x_core.evaluation.benchmark.standard_rows import benchmark_rows

STEPS, SKIP, TEXT, IMAGE = 8, 0.25, 3.0, 1.5
SHAPE = (1, 4, 6, 6)


def draw(seed, *shape):
    return torch.randn(*(shape or SHAPE), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def box(rows, columns, size=(6, 6)):
    mask = torch.zeros(1, 1, *size, dtype=torch.bool)
    mask[..., rows, columns] = True
    return mask


def unguided(latents, timestep):
    """A prediction that depends on the latents and on the timestep."""
    return 0.3 * latents.roll(1, -1) + 0.001 * timestep


def guided(latents, timestep):
    return unguided(latents, timestep) + 0.5 * latents.flip(-2)


def by_hand(scheduler, clean, noise, edit, keep, published=False):
    """Equations of both papers by diffusers' DDIM step with eta = 1, whose noise is solved for from its result."""
    scheduler.set_timesteps(STEPS)
    times = scheduler.timesteps[int(STEPS * SKIP) :]
    inverted = [scheduler.add_noise(clean, own, time[None]) for own, time in zip(noise, times)] + [clean]

    def step(prediction, time, latents, variance_noise):
        return scheduler.step(prediction, time, latents, eta=1.0, variance_noise=variance_noise).prev_sample

    latents, nothing, one = inverted[0], torch.zeros_like(clean), torch.ones_like(clean)
    for n, time in enumerate(times):
        mean = step(unguided(inverted[n], time), time, inverted[n], nothing)
        deviation = step(unguided(inverted[n], time), time, inverted[n], one) - mean
        z = torch.where(deviation > 0, (inverted[n + 1] - mean) / deviation, nothing)
        prediction = edit * guided(latents, time) + ~edit * unguided(latents, time)
        latents = step(prediction, time, latents, z)
        latents = keep * inverted[n if published else n + 1] + ~keep * latents
    return latents


@pytest.mark.parametrize("ends_clean", [False, True])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_an_edit_is_that_of_the_papers_equations(prediction, ends_clean):
    scheduler = DDIMScheduler.from_config(make_scheduler(prediction).config, set_alpha_to_one=ends_clean)
    steps = Steps.of(scheduler, STEPS, SKIP)
    clean, noise = draw(1), draw(2, len(steps.timesteps), *SHAPE)
    edit, keep = box(slice(2, 4), slice(1, 5)), box(slice(0, 1), slice(0, 6))
    inversion = invert(steps, clean, noise, unguided)
    edited = denoise_masked(steps, inversion, guided, unguided, edit, keep)
    assert torch.allclose(edited, by_hand(scheduler, clean, noise, edit, keep), atol=1e-5)
    assert (edited - clean)[edit.expand_as(clean)].abs().max() > 0.1


def test_a_kept_region_ends_clean_and_not_at_the_noise_of_the_step_before():
    scheduler = make_scheduler()
    steps = Steps.of(scheduler, STEPS, SKIP)
    clean, noise = draw(1), draw(2, len(steps.timesteps), *SHAPE)
    edit = box(slice(2, 4), slice(1, 5))
    inversion = invert(steps, clean, noise, unguided)
    edited = denoise_masked(steps, inversion, guided, unguided, edit, ~edit)
    kept = ~edit.expand_as(clean)
    assert torch.equal(edited[kept], clean[kept])
    published = by_hand(scheduler, clean, noise, edit, ~edit, published=True)
    assert torch.allclose(published[kept], inversion.latents[-2][kept]) and not torch.allclose(
        published[kept], clean[kept]
    )


def test_without_an_instruction_the_image_comes_back():
    steps = Steps.of(make_scheduler(), STEPS, SKIP)
    clean, noise = draw(1), draw(2, len(steps.timesteps), *SHAPE)
    nowhere = torch.zeros(1, 1, 6, 6, dtype=torch.bool)
    inversion = invert(steps, clean, noise, unguided)
    assert torch.allclose(denoise_masked(steps, inversion, guided, unguided, nowhere, nowhere), clean)


def test_the_noisiest_steps_are_left_out_and_every_level_is_of_the_schedule():
    steps = Steps.of(make_scheduler(), 10, 0.3)
    assert steps.timesteps.tolist() == [601, 501, 401, 301, 201, 101, 1] and len(steps.alphas) == 8
    assert list(steps.alphas) == sorted(steps.alphas)


# -- on a pipeline ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pipe():
    return make_pipeline()


def edit(pipe, edit_mask, keep_mask=None, seed=0, **changed):
    arguments = {"num_inference_steps": 4, "guidance_scale": TEXT, "image_guidance_scale": IMAGE} | changed
    image = torch.from_numpy(make_radiograph())[None, None] / 255
    return radedit(pipe, image, PROMPT, edit_mask, keep_mask, generator=seed, output_type="pt", **arguments)


def test_a_pipeline_s_edit_leaves_the_kept_pixels_and_says_what_might_change(pipe):
    mask = box(slice(20, 40), slice(8, 30), (64, 64))
    keep = ~box(slice(16, 44), slice(4, 34), (64, 64))
    output, image = edit(pipe, mask, keep), torch.from_numpy(make_radiograph())[None, None] / 255
    assert torch.equal(output.guidance_mask, ~keep) and torch.equal(output.guidance_map, mask.float())
    change = (output.images - image).abs().amax(1, keepdim=True)
    assert change[keep].max() == 0 and change[mask].max() > 0
    assert torch.equal(edit(pipe, mask, keep).images, output.images)
    assert not torch.equal(edit(pipe, mask, keep, seed=1).images, output.images)


def test_the_branches_of_the_model_are_guided_inside_the_edit_mask_alone(pipe):
    """Without text guidance every prediction is the one without the instruction, whatever the edit mask is."""
    masks = box(slice(20, 40), slice(8, 30), (64, 64)), box(slice(0, 64), slice(0, 64), (64, 64))
    first, second = (edit(pipe, mask, guidance_scale=0.0).images for mask in masks)
    assert torch.allclose(first, second, atol=1e-4)  # rounding differs between processors
    assert not torch.allclose(edit(pipe, masks[0]).images, first, atol=1e-3)


def test_a_scheduler_with_another_scale_of_latents_gives_the_same(pipe):
    mask = box(slice(20, 40), slice(8, 30), (64, 64))
    own, expected = pipe.scheduler, edit(pipe, mask).images
    try:
        pipe.scheduler = EulerDiscreteScheduler.from_config(own.config)
        assert torch.allclose(edit(pipe, mask).images, expected)
    finally:
        pipe.scheduler = own


@pytest.mark.parametrize(
    ("masks", "changed", "message"),
    [
        ((box(0, 0, (32, 64)),), {}, "`edit_mask` must be bool, .B, 1, H, W. at the pictures' size, got torch.bool"),
        ((box(0, 0, (64, 64)).float(),), {}, "`edit_mask` must be bool"),
        ((box(0, 0, (64, 64)), box(0, 0, (64, 32))), {}, "`keep_mask` must be bool"),
        ((box(0, 0, (64, 64)),), {"skip": 1.0}, "`skip` must be at least 0 and below 1, got 1.0"),
    ],
)
def test_what_cannot_be_used_is_refused(pipe, masks, changed, message):
    with pytest.raises(InputError, match=message):
        edit(pipe, *masks, **changed)


def test_the_row_says_how_many_steps_are_left_out(pipe):
    def note(count):
        rows = benchmark_rows(pipe, {"num_inference_steps": count})
        return next(row.note for row in rows if row.name == RADEDIT)

    assert "no step left out" in note(1) and "the noisiest 3 of 10 steps left out" in note(10)
