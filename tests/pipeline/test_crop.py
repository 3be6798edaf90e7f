"""Edits that are computed on a crop around the region."""

import numpy as np
import pytest
import torch
from edit_cases import CELLS, PROMPTS, edit, same
from PIL import Image
from tiny_models import NATIVE, PROMPT, make_pipeline, make_radiograph, seeded

HEIGHT, WIDTH = 150, 120
ZONE = "Add the finding of moderate right lower zone consolidation."  # a region that is smaller than a lung


def grey(height=HEIGHT, width=WIDTH, seed=0):
    return make_radiograph(height, width, seed) / 255


def box(top, bottom, left, right, size=(HEIGHT, WIDTH)):
    mask = torch.zeros(1, 1, *size)
    mask[..., top:bottom, left:right] = 1
    return mask


@pytest.fixture
def encodings(pipe, monkeypatch):
    """The number of pictures of each encoding."""
    seen, encode = [], pipe.vae.encode
    monkeypatch.setattr(pipe.vae, "encode", lambda pixels: seen.append(len(pixels)) or encode(pixels))
    return seen


@pytest.mark.parametrize("composition", ["decoded", "difference"])
@pytest.mark.parametrize("corner", [(60, 110, 10, 40), (0, 30, 90, 120), (100, 150, 50, 100)])
def test_it_is_the_edit_of_the_cropped_picture(pipe, corner, composition):
    """The answer is known: the crop, edited as a picture of its own."""
    image, mask = grey(), box(*corner)
    call = {"composition": composition, "output_type": "np", "soft_edge": 0.0}
    output = edit(pipe, image, guidance_mask=mask, padding_mask_crop=4, **call)
    (window,) = output.windows
    rows, columns = window.slices
    alone = edit(pipe, image[rows, columns], guidance_mask=window.cut_out(mask), **call)
    assert np.abs(output.images[0, rows, columns] - alone.images[0]).max() < 1e-5
    assert (output.images[0, ..., 0] == image)[~(mask[0, 0] > 0).numpy()].all()
    assert np.abs(output.images[0, ..., 0] - image).max() > 0.02
    whole = edit(pipe, image, guidance_mask=mask, **call)
    assert whole.windows is None and np.abs(whole.images - output.images).max() > 1e-3


@pytest.mark.parametrize("source", ["noise", "both"])
def test_the_maps_are_those_of_the_cropped_picture(pipe, source):
    image, mask = grey(), box(60, 110, 10, 60)
    call = {"relevance_source": source, "mask_threshold": 0.3, "relevance_samples": 3, "generator": seeded()}
    looked = pipe.guidance(image, PROMPT, pseudomask=mask, padding_mask_crop=6, **call)
    (window,) = looked.windows
    part = image[window.slices]
    alone = pipe.guidance(part, PROMPT, pseudomask=window.cut_out(mask), **{**call, "generator": seeded()})
    for name in ("relevance_map", "guidance_map", "guidance_mask", "relevance_uncertainty"):
        found, expected = getattr(looked, name), getattr(alone, name)
        if expected is None:
            assert found is None and source == "both"
            continue
        assert torch.allclose(window.cut_out(found).float(), expected.float(), atol=1e-5), name
        assert torch.equal(window.put_back(window.cut_out(found), (HEIGHT, WIDTH)), found), name  # 0 outside


@pytest.mark.parametrize("arguments", [{}, {"twin": True}, {"composition": "saturating"}, {"attention_gating": True}])
def test_outside_the_mask_nothing_changes(pipe, arguments):
    image = Image.fromarray(make_radiograph(HEIGHT, WIDTH))
    output = edit(pipe, image, ZONE, align=False, padding_mask_crop=2, **arguments)
    (window,) = output.windows
    inside = output.guidance_mask[0, 0].numpy()
    before, after = np.asarray(image), np.asarray(output.images[0])
    assert (before == after)[~inside].all() and (before != after).any()
    for held in (output.pseudomask, output.guidance_mask):
        assert held.any() and torch.equal(window.put_back(window.cut_out(held), (HEIGHT, WIDTH)), held)


def test_a_window_of_the_whole_picture_gives_the_edit_without_a_crop(pipe, radiograph):
    for arguments in ({"pseudomask": np.ones((NATIVE, NATIVE))}, {"padding_mask_crop": NATIVE}):
        cropped = edit(pipe, radiograph, **{"padding_mask_crop": 8, **arguments})
        whole = edit(pipe, radiograph, **{**arguments, "padding_mask_crop": None})
        assert cropped.windows is None and same(cropped.images, whole.images)
        assert torch.equal(cropped.relevance_map, whole.relevance_map)


@pytest.mark.parametrize("size", [(150, 120), (60, 150)])
def test_a_batch_with_different_windows_is_its_single_calls(pipe, size, encodings):
    image, (height, width) = grey(*size), size
    masks = [box(0, 20, 0, 30, size), box(height - 30, height, width - 40, width, size), torch.ones(1, 1, *size)]
    call = {"padding_mask_crop": 2, "output_type": "np", "relevance_samples": 3, "twin": True, "mask_threshold": 0.2}
    seeds = [seeded(number) for number in range(3)]
    both = edit(pipe, image, PROMPTS, pseudomask=torch.cat(masks), generator=seeds, **call)
    assert encodings == [3] and both.windows[0] != both.windows[1] and both.windows[2] is None
    for number, mask in enumerate(masks):
        one = edit(pipe, image, PROMPTS[number], pseudomask=mask, generator=seeded(number), **call)
        assert (one.windows or [None])[0] == both.windows[number]
        for name in ("relevance_map", "guidance_map", "relevance_uncertainty"):
            assert torch.allclose(getattr(both, name)[number], getattr(one, name)[0], atol=2e-3), name
        assert np.abs(both.images[number] - one.images[0]).max() < 5e-3


def test_outputs_with_one_window_share_an_encoding(pipe, encodings):
    image = Image.fromarray(make_radiograph(HEIGHT, WIDTH))
    output = edit(pipe, image, ZONE, align=False, num_images_per_prompt=2, padding_mask_crop=4)
    assert encodings == [1] and output.windows[0] == output.windows[1] is not None


def test_the_three_calls_agree(pipe):
    image = Image.fromarray(make_radiograph(HEIGHT, WIDTH))
    output = edit(pipe, image, ZONE, padding_mask_crop=4)
    looked = pipe.guidance(image, ZONE, padding_mask_crop=4, generator=seeded())
    relevance = pipe.relevance(image, ZONE, padding_mask_crop=4, generator=seeded())
    assert output.windows == looked.windows == relevance.windows and output.windows is not None
    assert torch.equal(output.guidance_mask, looked.guidance_mask)
    assert torch.equal(output.relevance_map, looked.relevance_map)
    assert torch.equal(output.relevance_map, relevance.relevance_map)
    assert pipe.canvases.windows == output.windows


def test_given_noise_is_that_of_the_crop(pipe):
    image, noise = Image.fromarray(make_radiograph(HEIGHT, WIDTH)), torch.randn(1, 4, CELLS, CELLS, generator=seeded(3))
    call = {"padding_mask_crop": 4, "latents": noise, "relevance_noise": noise}
    first, second = (edit(pipe, image, ZONE, generator=seeded(seed), **call) for seed in (0, 1))
    assert first.windows is not None and same(first.images, second.images)
    assert edit(pipe, image, ZONE, output_type="latent", **call).images.shape == (1, 4, CELLS, CELLS)


def test_free_text_on_another_picture_is_whole(pipe):
    colour = torch.rand(3, NATIVE, NATIVE, generator=seeded())
    cropped, whole = (edit(pipe, colour, "make it snowy", padding_mask_crop=crop) for crop in (4, None))
    assert cropped.windows is None and same(cropped.images, whole.images)


def test_a_recommended_crop_gives_way_where_none_is_possible(shared_components, radiograph):
    pipe = make_pipeline(**shared_components, recommended={"padding_mask_crop": 4})
    assert edit(pipe, radiograph, ZONE).windows is not None
    assert edit(pipe, radiograph, ZONE, padding_mask_crop=False).windows is None
    for arguments in ({"reference": True, "mask_threshold": 0.1}, {"restricted": False}):
        assert edit(pipe, radiograph, ZONE, **arguments).windows is None
    assert edit(pipe, torch.randn(1, 4, CELLS, CELLS, generator=seeded())).windows is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding_mask_crop": -1}, "`padding_mask_crop` must be a whole number of at least 0, or False for no crop"),
        ({"padding_mask_crop": 2.5}, "`padding_mask_crop` must be a whole number of at least 0"),
        ({"padding_mask_crop": True}, "`padding_mask_crop` must be a whole number of at least 0"),
        ({"padding_mask_crop": 4, "reference": True}, "`padding_mask_crop` must be left out with `reference=True`"),
        ({"padding_mask_crop": 4, "restricted": False}, "`padding_mask_crop` must be left out with `restricted=False`"),
    ],
)
def test_a_crop_that_can_t_be_made_is_refused(pipe, radiograph, arguments, message):
    with pytest.raises(ValueError, match=message):
        edit(pipe, radiograph, **arguments)


def test_a_crop_of_image_latents_is_refused(pipe):
    with pytest.raises(ValueError, match="`padding_mask_crop` must be left out with image latents"):
        edit(pipe, torch.randn(1, 4, CELLS, CELLS), padding_mask_crop=4)


def test_no_crop_contradicts_nothing(pipe, radiograph):
    for arguments in ({"reference": True, "mask_threshold": 0.1}, {"restricted": False}):
        assert same(
            edit(pipe, radiograph, padding_mask_crop=False, **arguments).images,
            edit(pipe, radiograph, **arguments).images,
        )
