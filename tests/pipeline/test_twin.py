"""The twin: a difference taken to the same noise, denoised without the instruction."""

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler
from tiny_models import PROMPT, make_pipeline, make_radiograph, seeded

from x2x_core.edit.settings import resolve_settings

IMAGE = make_radiograph(64, 64) / 255


def edit(pipe, **arguments):
    call = {"num_inference_steps": 3, "generator": seeded(), "output_type": "np", "twin": True, "mask_threshold": 0.2}
    return pipe(IMAGE, PROMPT, **{**call, **arguments})


def test_without_text_guidance_nothing_changes(pipe):
    for scale in (1.0, 1.5):
        output = edit(pipe, guidance_scale=0.0, image_guidance_scale=scale)
        assert output.guidance_mask.any()
        assert np.abs(output.images[0, ..., 0] - IMAGE).max() < 1e-5
    without = edit(pipe, guidance_scale=0.0, twin=False)
    assert np.abs(without.images[0, ..., 0] - IMAGE).max() > 1e-3


def test_it_is_another_difference_of_the_same_edit(pipe):
    mine, other = edit(pipe), edit(pipe, twin=False)
    mask = mine.guidance_mask[0, 0].numpy()
    assert torch.equal(mine.guidance_mask, other.guidance_mask)
    assert (mine.images != other.images).any() and np.array_equal(mine.images[0, ..., 0][~mask], IMAGE[~mask])
    latents = [edit(pipe, twin=twin, output_type="latent").images for twin in (True, False)]
    assert torch.equal(*latents)


@pytest.mark.parametrize("generators", ["one", "each", "none"])
@pytest.mark.parametrize("scheduler", [EulerAncestralDiscreteScheduler, DPMSolverMultistepScheduler])
def test_random_and_multistep_solvers_take_the_same_way_twice(scheduler, generators):
    pipe = make_pipeline()
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = scheduler.from_config(pipe.scheduler.config)
    made = {"one": seeded(), "each": [seeded(1), seeded(2)], "none": None}[generators]
    copies = 2 if generators == "each" else 1
    output = edit(pipe, guidance_scale=0.0, generator=made, num_images_per_prompt=copies)
    assert np.abs(output.images[..., 0] - IMAGE).max() < 1e-5


def test_the_callers_generator_is_left_as_without_a_twin(pipe):
    after = []
    for twin in (True, False):
        generator = seeded()
        edit(pipe, twin=twin, generator=generator, eta=1.0)
        after.append(torch.rand(1, generator=generator))
    assert torch.equal(*after)


def test_a_batch_gives_what_single_calls_give(pipe):
    images = np.stack([IMAGE, IMAGE[:, ::-1]])
    call = {"num_inference_steps": 2, "output_type": "np", "twin": True}
    both = pipe(list(images), PROMPT, generator=[seeded(1), seeded(2)], **call)
    for number, image in enumerate(images):
        one = pipe(image, PROMPT, generator=[seeded(number + 1)], **call)
        assert np.abs(one.images[0] - both.images[number]).max() < 1e-4


def test_an_interrupted_edit_has_a_twin_of_as_many_steps(pipe):
    def stop(pipeline, step, timestep, tensors):
        pipeline._interrupt = step == 0
        return {}

    output = edit(pipe, guidance_scale=0.0, callback_on_step_end=stop)
    assert np.abs(output.images[0, ..., 0] - IMAGE).max() < 1e-5


def test_it_goes_with_a_difference_only(pipe):
    with pytest.raises(ValueError, match="`twin` must be left out with `composition='decoded'`"):
        edit(pipe, composition="decoded")
    with pytest.raises(ValueError, match="`twin` must be left out with `reference=True`"):
        edit(pipe, reference=True, mask_threshold=None)
    with pytest.raises(ValueError, match="`twin` must be True or False, got 'yes'"):
        edit(pipe, twin="yes")


def test_what_a_checkpoint_recommends_gives_way_to_the_call():
    advice = {"recommended_twin": True}
    assert resolve_settings({}, advice).twin
    assert not resolve_settings({"composition": "decoded"}, advice).twin
    assert not resolve_settings({"twin": False}, advice).twin
    assert not resolve_settings({}, advice, reference=True).twin
    assert not resolve_settings({}, advice, restricted=False).twin
