"""Pictures that are prepared once for several edits."""

import dataclasses
from functools import partial

import pytest
import torch
from edit_cases import CELLS, PROMPTS, edit, generators, same
from PIL import Image
from tiny_models import NATIVE, PROMPT, make_pipeline, make_radiograph, make_scheduler, make_unet, make_vae, seeded

from x2x_core.anatomy.lungs import LungFinder
from x2x_core.edit.views import RECENT_CALLS, EncodedViews, RecentViews

HEIGHT, WIDTH = 150, 120
NARROW = (make_radiograph(HEIGHT, WIDTH) / 255 * 0.2 + 0.3).astype("float32")  # in a narrow range of greys


@pytest.fixture
def networks(pipe, monkeypatch):
    """Calls of the encoder, the decoder and the lung finder, by name."""
    seen = {"encode": 0, "decode": 0, "find": 0}

    def count(holder, name):
        function = getattr(holder, name)

        def counted(*positional, **keywords):
            seen[name] += 1
            return function(*positional, **keywords)

        monkeypatch.setattr(holder, name, counted)

    count(pipe.vae, "encode")
    count(pipe.vae, "decode")
    count(LungFinder, "find")
    return seen


CALLS = [
    {},
    {"twin": True},
    {"composition": "decoded"},
    {"padding_mask_crop": 4},
    {"restricted": False},
    {"align": False},
    {"reference": True, "mask_threshold": 0.1},
    {"num_images_per_prompt": 2, "generator": None, "relevance_samples": 2},
]


@pytest.mark.parametrize("arguments", CALLS, ids=[" ".join(call) for call in CALLS])
@pytest.mark.parametrize("image", [Image.fromarray(make_radiograph(HEIGHT, WIDTH)), NARROW], ids=["grey", "narrow"])
def test_edits_of_a_prepared_picture_are_those_of_the_picture(pipe, image, arguments):
    arguments = {**arguments, "output_type": "np"}
    prepared = pipe.prepare(image, reference=arguments.get("reference", False))
    for seed in range(2):
        call = arguments if "generator" not in arguments else {**arguments, "generator": generators(2, seed)}
        first = edit(pipe, image, **{"generator": seeded(seed), **call})
        call = arguments if "generator" not in arguments else {**arguments, "generator": generators(2, seed)}
        second = edit(pipe, prepared, **{"generator": seeded(seed), **call})
        assert same(first.images, second.images) and torch.equal(first.guidance_mask, second.guidance_mask)


def test_the_maps_of_a_prepared_picture_are_those_of_the_picture(pipe, radiograph):
    prepared = pipe.prepare(radiograph)
    for call in (pipe.relevance, pipe.guidance):
        first, second = (call(image, PROMPT, generator=seeded()) for image in (radiograph, prepared))
        assert torch.equal(first.relevance_map, second.relevance_map)


def test_several_pictures_are_prepared_as_a_batch(pipe):
    images = [Image.fromarray(make_radiograph(seed=seed)) for seed in range(3)]
    prepared = pipe.prepare(images)
    assert len(prepared) == 3
    first, second = (edit(pipe, given, PROMPTS, generator=generators(3)) for given in (images, prepared))
    assert same(first.images, second.images)


def test_edits_of_a_prepared_picture_neither_encode_nor_look_for_lungs(pipe, radiograph, networks):
    prepared = pipe.prepare(radiograph)
    assert networks == {"encode": 1, "decode": 1, "find": 1}
    edit(pipe, prepared, composition="difference")
    assert networks == {"encode": 1, "decode": 2, "find": 1}  # the original's decoding is prepared too
    edit(pipe, prepared, PROMPTS, num_images_per_prompt=2, twin=True, generator=generators(6))
    assert networks == {"encode": 1, "decode": 4, "find": 1}
    edit(pipe, prepared, padding_mask_crop=4)
    assert networks["encode"] <= 2 and networks["find"] == 1


def test_lungs_are_left_to_the_edits_that_need_them(pipe, radiograph, networks):
    prepared = pipe.prepare(radiograph, align=False)
    mask = torch.zeros(1, 1, NATIVE, NATIVE)
    mask[..., 20:40, 10:30] = 1
    edit(pipe, prepared, guidance_mask=mask)
    assert networks["find"] == 0
    with_lungs = edit(pipe, prepared)
    assert networks["find"] == 1 and same(with_lungs.images, edit(pipe, radiograph).images)


def test_no_lungs_are_sought_in_other_pictures(pipe, networks):
    colour = torch.rand(3, NATIVE, NATIVE, generator=seeded())
    prepared = pipe.prepare(colour)
    assert networks["find"] == 0 and prepared.alignments == (None,)
    for prompt in ("make it snowy", PROMPT):
        assert same(edit(pipe, prepared, prompt).images, edit(pipe, colour, prompt).images)


def test_a_prepared_picture_can_t_be_changed(pipe, radiograph):
    prepared = pipe.prepare(radiograph)
    with pytest.raises(dataclasses.FrozenInstanceError):
        prepared.latents = None


def test_pictures_of_another_pipeline_are_refused(pipe, radiograph, shared_components):
    parts = {**shared_components, "scheduler": make_scheduler()}
    others = {
        "must be prepared by the pipeline that edits it": {"vae": make_vae(seed=1)},
        "64 pixels, but it was prepared for 32": {"unet": _smaller_unet()},
    }
    for message, replaced in others.items():
        prepared = make_pipeline(**{**parts, **replaced}).prepare(radiograph)
        with pytest.raises(ValueError, match=message):
            edit(pipe, prepared)
    twin_of_it = make_pipeline(**parts)  # the same parts
    assert same(edit(pipe, twin_of_it.prepare(radiograph)).images, edit(pipe, radiograph).images)


def _smaller_unet():
    unet = make_unet()
    unet.register_to_config(sample_size=NATIVE // 8)
    return unet


@pytest.mark.parametrize("reference", [True, False])
def test_pictures_prepared_for_the_other_arithmetic_are_refused(pipe, radiograph, reference):
    prepared = pipe.prepare(radiograph, reference=not reference)
    with pytest.raises(ValueError, match=rf"call `pipe.prepare\(image, reference={reference}\)`"):
        edit(pipe, prepared, reference=reference)


def test_pictures_prepared_in_another_precision_are_refused(radiograph):
    pipe = make_pipeline()
    prepared = pipe.prepare(radiograph)
    pipe.to(torch.bfloat16)
    with pytest.raises(ValueError, match="must be prepared in the VAE's precision"):
        edit(pipe, prepared)


def test_what_can_t_be_prepared_is_refused(pipe, radiograph):
    with pytest.raises(ValueError, match="`image` must be a picture, but it is image latents"):
        pipe.prepare(torch.randn(1, 4, CELLS, CELLS))
    with pytest.raises(ValueError, match="`image` must be a picture, but it is prepared already"):
        pipe.prepare(pipe.prepare(radiograph))


def test_edits_on_the_same_crop_encode_it_once(pipe, radiograph, networks):
    prepared = pipe.prepare(radiograph, align=False)
    mask = torch.zeros(1, 1, NATIVE, NATIVE)
    mask[..., 20:40, 10:30] = 1
    cropped = {"guidance_mask": mask, "padding_mask_crop": 2}
    first, again = (edit(pipe, prepared, edit_strength=strength, **cropped) for strength in (1.0, 0.5))
    assert first.windows is not None and first.windows == again.windows and networks["encode"] == 2
    assert same(again.images, edit(pipe, radiograph, edit_strength=0.5, **cropped).images)
    edit(pipe, prepared, **{**cropped, "guidance_mask": mask.flip(-1)})
    assert networks["encode"] == 4  # one of the picture that was not prepared, one of another crop


def test_only_the_crops_of_the_last_calls_are_kept():
    views, made = RecentViews(), []

    def encode(key):
        made.append(key)
        return EncodedViews(torch.zeros(1, 1, 8, 8), torch.zeros(1, 4, 1, 1))

    for key in (*range(RECENT_CALLS), 0, RECENT_CALLS, 1, 0):
        views.once(key, partial(encode, key))
    assert made == [*range(RECENT_CALLS + 1), 1] and len(views.kept) == RECENT_CALLS
