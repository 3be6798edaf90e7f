"""Pictures of any size, image latents, and degenerate input."""

from functools import cache

import numpy as np
import pytest
import torch
from edit_cases import PROMPTS, edit, same
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_models import NATIVE, PROMPT, make_components, make_pipeline, make_radiograph, make_vae

from x2x_core import InstructX2XPipelineOutput


@settings(max_examples=8, deadline=None)
@given(height=st.integers(3, 150), width=st.integers(3, 150))
def test_every_size_comes_back(height, width):
    pipe = every_size_pipe()
    image = make_radiograph(height, width)
    output = edit(pipe, image, "Add the finding of edema.", output_type="np", num_inference_steps=1)
    assert output.images.shape == (1, height, width, 1)
    assert output.relevance_map.shape == output.guidance_mask.shape == (1, 1, height, width)
    assert output.guidance_map.min() >= 0 and output.guidance_map.max() <= 1


@cache
def every_size_pipe():
    return make_pipeline()


def test_the_model_works_at_its_own_resolution(pipe, monkeypatch):
    seen = []
    encode = pipe.vae.encode
    monkeypatch.setattr(pipe.vae, "encode", lambda pixels: seen.append(tuple(pixels.shape)) or encode(pixels))
    for size in ((300, 200), (20, 30), (64, 64)):
        edit(pipe, Image.fromarray(make_radiograph(*size)))
    assert seen == [(1, 3, NATIVE, NATIVE)] * 3


def test_an_image_is_encoded_once(pipe, radiograph, monkeypatch):
    seen = []
    encode = pipe.vae.encode
    monkeypatch.setattr(pipe.vae, "encode", lambda pixels: seen.append(len(pixels)) or encode(pixels))
    edit(pipe, radiograph, PROMPTS, num_images_per_prompt=2)
    assert seen == [1]


def test_image_latents_are_edited_as_the_picture_they_decode_to(pipe, radiograph):
    pixels = torch.from_numpy(np.array(radiograph) / 255).float().expand(1, 3, -1, -1)
    latents = pipe.vae.encode(pixels * 2 - 1).latent_dist.mode().detach()
    picture = (pipe.vae.decode(latents).sample.detach() / 2 + 0.5).clamp(0, 1)
    output = edit(pipe, latents, output_type="pt")
    outside = ~output.guidance_mask.expand(-1, 3, -1, -1)
    assert torch.equal(output.images[outside], picture[outside]) and not torch.equal(output.images, picture)


def test_an_autoencoder_of_one_channel_works(shared_components, radiograph):
    pipe = make_pipeline(**{**shared_components, "vae": make_vae(channels=1)})
    for picture in (radiograph, radiograph.convert("RGB")):
        output = edit(pipe, picture)
        outside = ~output.guidance_mask[0, 0].numpy()
        assert output.images[0].mode == picture.mode
        assert (np.asarray(output.images[0])[outside] == np.asarray(picture)[outside]).all()


def test_a_flat_relevance_map_is_zero_warns_and_gives_the_image_back(pipe, radiograph, caplog, monkeypatch):
    deaf = make_components()["unet"]
    for name, weights in deaf.named_parameters():
        if "attn2.to_out" in name:
            torch.nn.init.zeros_(weights)
    pipe.unet = deaf
    output = edit(pipe, radiograph)
    assert "relevance map of image 0 is flat" in caplog.text and "guidance mask of image 0 is empty" in caplog.text
    assert output.relevance_map.max() == 0 and torch.isfinite(output.guidance_map).all()
    assert same(output.images, [radiograph])


def test_an_empty_mask_warns_and_costs_no_denoising(pipe, radiograph, caplog, monkeypatch):
    steps = []
    arguments = {"mask_threshold": 1.0, "limit_area": False}
    output = edit(pipe, radiograph, callback_on_step_end=lambda *told: steps.append(told) or {}, **arguments)
    if output.guidance_mask.any():
        pytest.fail("the random relevance map should not reach 1 where the pseudomask is 1")
    assert "lower the threshold" in caplog.text and not steps and same(output.images, [radiograph])
    caplog.clear()
    assert same(edit(pipe, radiograph, guidance_mask=np.zeros((NATIVE, NATIVE))).images, [radiograph])
    assert "`guidance_mask` is empty" in caplog.text


def test_a_constant_picture_works(pipe):
    output = edit(pipe, np.full((30, 40), 128, np.uint8), output_type="np")
    assert output.images.shape == (1, 30, 40, 1) and torch.isfinite(output.relevance_map).all()


def test_outputs_are_records_or_tuples(pipe, radiograph):
    named, plain = edit(pipe, radiograph), edit(pipe, radiograph, return_dict=False)
    assert isinstance(named, InstructX2XPipelineOutput) and isinstance(plain, tuple) and len(plain) == 11
    assert same(plain[0], named.images) and plain[1] is None and torch.equal(plain[3], named.guidance_mask)
    assert plain[6] == named.instructions and torch.equal(plain[7], named.relevance_uncertainty)
    assert named["images"] is named.images
    for look in (pipe.guidance, pipe.relevance):
        assert isinstance(look(radiograph, PROMPT, return_dict=False), tuple)


def test_maps_have_the_documented_shapes_and_ranges(pipe):
    output = edit(pipe, np.stack([make_radiograph(33, 47, 1), make_radiograph(33, 47, 2)])[..., None])
    for name in ("guidance_map", "relevance_map", "pseudomask"):
        found = getattr(output, name)
        assert found.shape == (2, 1, 33, 47) and found.dtype == torch.float32
        assert found.min() >= 0 and found.max() <= 1
    assert output.guidance_mask.shape == (2, 1, 33, 47) and output.guidance_mask.dtype == torch.bool
