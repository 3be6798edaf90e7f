"""Edits that are denoised and decoded in a window around their mask."""

import numpy as np
import pytest
import torch
from edit_cases import CELLS, PROMPTS, edit, generators, same
from PIL import Image
from tiny_models import CELL, NATIVE, PROMPT, make_pipeline, make_radiograph, seeded


def box(top, bottom, left, right, size=(NATIVE, NATIVE)):
    mask = torch.zeros(1, 1, *size)
    mask[..., top:bottom, left:right] = 1
    return mask


@pytest.fixture
def sizes(pipe, monkeypatch):
    """The latent cells of each call of the U-Net."""
    seen, forward = [], pipe.unet.forward

    def count(sample, *positional, **keywords):
        seen.append(tuple(sample.shape[-2:]))
        return forward(sample, *positional, **keywords)

    monkeypatch.setattr(pipe.unet, "forward", count)
    return seen


@pytest.fixture
def pointwise(pipe, monkeypatch):
    """A U-Net that looks at each cell alone, so that a window's edit is known: the whole edit's cells."""

    def forward(sample, timestep, *positional, encoder_hidden_states, **keywords):
        text = encoder_hidden_states.mean(dim=(1, 2))[:, None, None, None]
        return (torch.sin(sample[:, :4]) + 0.3 * sample[:, 4:] * (1 + text),)

    monkeypatch.setattr(pipe.unet, "forward", forward)
    return pipe


@pytest.mark.parametrize("arguments", [{}, {"twin": True}, {"num_images_per_prompt": 2, "generator": None}])
def test_it_is_the_whole_edit_where_a_cell_does_not_depend_on_others(pointwise, radiograph, arguments):
    call = {"guidance_mask": box(20, 36, 8, 28), "output_type": "latent", "num_inference_steps": 3, **arguments}
    if "generator" in arguments:
        call["generator"] = generators(2)
    whole = edit(pointwise, radiograph, **call).images
    if "generator" in arguments:
        call["generator"] = generators(2)
    window = edit(pointwise, radiograph, mask_context=4, **call).images
    assert torch.allclose(window, whole, atol=1e-5)
    clean = edit(pointwise, radiograph, **{**call, "edit_strength": 0.0}).images
    assert (window - clean).abs().max() > 0.1


def test_a_batch_with_different_masks_is_its_single_calls_where_cells_are_alone(pointwise, radiograph):
    masks = [box(0, 16, 0, 16), box(40, 60, 30, 62), box(24, 30, 8, 12)]
    call = {"mask_context": 4, "output_type": "latent"}
    both = edit(pointwise, radiograph, PROMPTS, guidance_mask=torch.cat(masks), generator=generators(3), **call)
    for number, mask in enumerate(masks):
        one = edit(pointwise, radiograph, PROMPTS[number], guidance_mask=mask, generator=seeded(number), **call)
        assert torch.allclose(both.images[number], one.images[0], atol=1e-5)


def test_the_mask_is_found_on_the_whole_and_the_edit_in_a_window(pipe, radiograph, sizes):
    prompt, call = "Add the finding of moderate right lower zone consolidation.", {"align": False}
    whole = edit(pipe, radiograph, prompt, **call)
    calls = len(sizes)
    sizes.clear()
    window = edit(pipe, radiograph, prompt, mask_context=4, **call)
    assert torch.equal(whole.guidance_mask, window.guidance_mask)
    assert torch.equal(whole.relevance_map, window.relevance_map) and window.windows is None
    assert len(sizes) == calls and sizes[0] == (CELLS, CELLS)
    assert all(height * width < CELLS**2 for height, width in sizes[1:])


@pytest.mark.parametrize(
    "arguments",
    [{}, {"twin": True}, {"composition": "decoded"}, {"composition": "saturating"}, {"attention_gating": True}],
    ids=["difference", "twin", "decoded", "saturating", "gating"],
)
def test_outside_the_mask_nothing_changes_and_inside_it_does(pipe, arguments):
    image = Image.fromarray(make_radiograph(150, 120))
    mask = box(60, 100, 10, 40, (150, 120))
    output = edit(pipe, image, guidance_mask=mask, mask_context=8, **arguments)
    before, after, inside = np.asarray(image), np.asarray(output.images[0]), mask[0, 0].bool().numpy()
    assert (before == after)[~inside].all() and (before != after)[inside].any()


def test_a_context_of_the_whole_canvas_gives_the_edit_without_a_window(pipe, radiograph):
    for arguments in ({}, {"guidance_mask": box(20, 36, 8, 28)}):
        whole = edit(pipe, radiograph, **arguments)
        assert same(edit(pipe, radiograph, mask_context=NATIVE, **arguments).images, whole.images)
        assert same(edit(pipe, radiograph, mask_context=False, **arguments).images, whole.images)


def test_only_the_window_is_decoded(pipe, radiograph, monkeypatch):
    areas, decode = [], pipe.vae.decode

    def counted(latents, **keywords):
        areas.append(latents.shape[-2] * latents.shape[-1])
        return decode(latents, **keywords)

    monkeypatch.setattr(pipe.vae, "decode", counted)
    edit(pipe, radiograph, guidance_mask=box(16, 32, 16, 32), mask_context=0)
    assert areas == [(16 // CELL) ** 2] * 2  # the edit and the original
    areas.clear()
    monkeypatch.setattr(pipe, "run_safety_checker", lambda image, device, dtype: (image, None))
    pipe.safety_checker = object()
    edit(pipe, radiograph, guidance_mask=box(16, 32, 16, 32), mask_context=0, composition="decoded")
    assert areas == [CELLS**2]  # a safety checker sees the whole picture


def test_callbacks_and_previews_see_the_window(pipe, radiograph):
    seen = []

    def watch(pipe, step, timestep, tensors):
        seen.append((tensors["latents"].shape[-2:], pipe.canvases.each[0].window))
        return {}

    edit(pipe, radiograph, guidance_mask=box(16, 32, 16, 40), mask_context=0, callback_on_step_end=watch)
    (shape, window), *_ = seen
    assert tuple(shape) == (4, 6) and (window.top, window.left, *window.size) == (16, 16, 16, 24)


def test_it_goes_with_a_crop_and_with_prepared_pictures(pipe):
    image = Image.fromarray(make_radiograph(150, 120))
    call = {"guidance_mask": box(60, 70, 20, 30, (150, 120)), "padding_mask_crop": 10, "mask_context": 4}
    first, second = (edit(pipe, given, **call) for given in (image, pipe.prepare(image)))
    assert first.windows is not None and same(first.images, second.images)
    assert (np.asarray(first.images[0]) != np.asarray(image)).any()


def test_a_recommended_window_gives_way_where_none_is_possible(shared_components, radiograph):
    recommending = make_pipeline(**shared_components, recommended={"mask_context": 4})
    plain = make_pipeline(**shared_components)
    for arguments in ({"reference": True, "mask_threshold": 0.1}, {"restricted": False}):
        assert same(edit(recommending, radiograph, **arguments).images, edit(plain, radiograph, **arguments).images)
    window = edit(plain, radiograph, guidance_mask=box(16, 32, 16, 32), mask_context=4)
    assert same(edit(recommending, radiograph, guidance_mask=box(16, 32, 16, 32)).images, window.images)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask_context": -1}, "`mask_context` must be a whole number of at least 0"),
        ({"mask_context": 4, "reference": True}, "`mask_context` must be left out with `reference=True`"),
        ({"mask_context": 4, "restricted": False}, "`mask_context` must be left out with `restricted=False`"),
    ],
)
def test_a_window_that_can_t_be_made_is_refused(pipe, radiograph, arguments, message):
    with pytest.raises(ValueError, match=message):
        edit(pipe, radiograph, PROMPT, **arguments)
