"""Promises of an edit, with each kind of model."""

import numpy as np
import pytest
import torch
from backbone_models import MAKERS, saved_and_loaded
from PIL import Image
from tiny_models import seeded

from x2x_core import X2XEdit
from x2x_core.common.errors import InputError
from x2x_core.edit.arguments import EditKwargs, names_of
from x2x_core.edit.backbones.conditioning import TEXT
from x2x_core.edit.backbones.protocol import HasAttention
from x2x_core.edit.backbones.registry import BACKBONES

PROMPT = "Make the car red."


@pytest.fixture(scope="module", params=list(MAKERS))
def pipe(request):
    return MAKERS[request.param]()


@pytest.fixture
def edit(pipe):
    return X2XEdit(pipe)


def make_photo(height=20, width=26, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def run(edit, image=None, prompt=PROMPT, **arguments):
    given = {"num_inference_steps": 2, "generator": seeded(), "output_type": "np"}
    if "guidance_mask" not in arguments:
        given["relevance_samples"] = 1
    return edit(make_photo() if image is None else image, prompt, **{**given, **arguments})


def test_outside_the_mask_the_picture_is_the_input_and_maps_are_those_of_guidance(edit):
    photo = np.asarray(make_photo())
    output = run(edit, photo)
    mask = output.guidance_mask[0, 0].numpy()
    assert mask.any() and not mask.all()
    assert (output.images[0] == photo)[~mask].all() and (output.images[0] != photo)[mask].any()
    looked = edit.guidance(photo, PROMPT, relevance_samples=1, generator=seeded())
    assert torch.equal(looked.guidance_mask, output.guidance_mask)
    assert torch.equal(looked.relevance_map, output.relevance_map)
    found = edit.relevance(photo, PROMPT, relevance_samples=1, generator=seeded())
    assert torch.equal(found.relevance_map, output.relevance_map)


def test_what_must_stay_stays(edit):
    photo, keep = np.asarray(make_photo()), np.zeros((20, 26), bool)
    keep[3:12, 5:20] = True
    output = run(edit, photo, keep_mask=keep, guidance_mask=torch.ones(1, 1, 20, 26))
    assert (output.guidance_mask[0, 0].numpy() == ~keep).all()
    assert (output.images[0] == photo)[keep].all() and (output.images[0] != photo)[~keep].any()


def test_a_seed_gives_the_same_bytes_and_another_does_not(edit):
    first, again, other = (run(edit, generator=seed).images for seed in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_batch_gives_what_single_calls_give(edit):
    pictures, prompts = [make_photo(seed=1), make_photo(seed=2)], [PROMPT, "Add a tree."]
    mask = torch.zeros(1, 1, 20, 26)
    mask[..., 4:15, 3:20] = 1
    batch = run(edit, pictures, prompts, generator=[5, 6], guidance_mask=mask)
    for number in range(2):
        single = run(edit, pictures[number], prompts[number], generator=5 + number, guidance_mask=mask)
        assert np.allclose(batch.images[number], single.images[0], atol=2e-3)


def test_a_saved_pipeline_edits_as_before(pipe, edit, tmp_path):
    loaded = saved_and_loaded(pipe, tmp_path, X2XEdit.from_pretrained)
    loaded.pipe.set_progress_bar_config(disable=True)
    if hasattr(pipe, "default_sample_size"):
        loaded.pipe.default_sample_size = pipe.default_sample_size
    assert np.allclose(run(edit).images, run(loaded).images, atol=1e-5)  # weights lie elsewhere in memory


def test_callbacks_see_each_step_replace_latents_and_interrupt(edit):
    seen = []

    def watch(pipe, step, timestep, tensors):
        seen.append((step, tensors["latents"].shape))
        return {"latents": torch.zeros_like(tensors["latents"])}

    sizes = edit.backbone.geometry
    cells = sizes.resolution // sizes.cell
    output = run(edit, callback_on_step_end=watch, output_type="latent")
    assert seen == [(step, (1, sizes.latent_channels, cells, cells)) for step in range(2)]
    assert (output.images == 0).all()

    def stop(pipe, step, timestep, tensors):
        seen.append(step)
        pipe._interrupt = True

    seen.clear()
    run(edit, callback_on_step_end=stop)
    assert len(seen) == 1


def test_the_guidance_scale_matters_where_it_is_taken(edit):
    if "guidance_scale" in edit.backbone.traits.refused:
        return
    mask = torch.ones(1, 1, 20, 26)
    weak, strong = (run(edit, guidance_scale=scale, guidance_mask=mask).images for scale in (1.5, 6.0))
    assert not np.array_equal(weak, strong)


def test_several_outputs_of_a_prompt_differ_by_their_noise(edit):
    output = run(edit, num_images_per_prompt=2, generator=[1, 2])
    assert output.images.shape[0] == 2 and not np.array_equal(output.images[0], output.images[1])


def test_each_argument_without_meaning_is_refused_with_its_reason(edit):
    values = {"reference": True, "prompt_embeds": torch.zeros(1, 2, 3), "cross_attention_kwargs": {"scale": 1}}
    refused = edit.backbone.traits.refused
    assert set(refused) <= set(names_of(EditKwargs))
    for name, reason in refused.items():
        with pytest.raises(InputError) as caught:
            run(edit, **{name: values.get(name, 0.5)}, **({"prompt": None} if name == "prompt_embeds" else {}))
        message = str(caught.value)
        assert f"`{name}`" in message and reason in message
        assert message.count(". ") == 0


def test_attention_is_read_and_gated_where_it_can_be_and_refused_elsewhere(edit):
    if isinstance(edit.backbone, HasAttention):
        assert not torch.equal(run(edit, relevance_source="both").relevance_map, run(edit).relevance_map)
        half = torch.ones(1, 1, 20, 26)
        half[..., 13:] = 0
        gated, plain = (run(edit, guidance_mask=half, attention_gating=gate).images for gate in (True, False))
        assert not np.array_equal(gated, plain)
        return
    for name, value in (("relevance_source", "attention"), ("attention_gating", True)):
        with pytest.raises(InputError, match="`relevance_source` and `attention_gating` must be left out"):
            run(edit, **{name: value})


def test_traits_and_geometry_fit_the_conditioning(edit):
    backbone = edit.backbone
    sizes = backbone.geometry
    assert backbone.traits.branches[0] == TEXT and sizes.resolution % sizes.step == 0
    assert sizes.step % sizes.cell == 0
    latents = backbone.encode_image(torch.rand(1, sizes.image_channels, sizes.step * 2, sizes.step * 4))
    shape = (1, sizes.latent_channels, sizes.step * 2 // sizes.cell, sizes.step * 4 // sizes.cell)
    assert backbone.to_latents(latents).shape == shape
    assert torch.allclose(backbone.to_image_latents(backbone.to_latents(latents)), latents, atol=1e-5)
    assert backbone.decode(latents).shape == (1, sizes.image_channels, sizes.step * 2, sizes.step * 4)


def test_image_latents_are_edited_and_must_fit_the_models_patches(edit):
    sizes = edit.backbone.geometry
    if sizes.latent_channels < 4:
        return  # read as a grey picture
    cells = sizes.step // sizes.cell
    latents = torch.randn(1, sizes.latent_channels, 4 * cells, 4 * cells, generator=seeded())
    output = run(edit, latents)
    assert output.images.shape[1:3] == (4 * sizes.step, 4 * sizes.step)
    if cells > 1:
        with pytest.raises(InputError, match=r"`image` latents must have sides that are multiples of 2 .* got 3x4"):
            run(edit, latents[:, :, :3, :4])


def test_another_class_and_an_empty_prompt_are_refused(edit):
    with pytest.raises(InputError, match=r"`pipe` must be one of .* got object"):
        X2XEdit(object())
    with pytest.raises(InputError, match="`prompt` must say what to edit"):
        run(edit, prompt=" ")


def test_every_class_of_the_registry_has_a_tiny_model():
    assert {type(make()).__name__ for make in MAKERS.values()} == set(BACKBONES)
