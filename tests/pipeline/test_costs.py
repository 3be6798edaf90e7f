"""Costs of an edit, and numbers that are not finite."""

from functools import cached_property

import pytest
import torch
from diffusers import HeunDiscreteScheduler
from edit_cases import BARE, edit
from tiny_models import CELL, NATIVE, PROMPT, make_components, make_pipeline, make_radiograph

from x2x_core.imaging.batch import ImageBatch
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

CELLS = NATIVE // CELL


@pytest.fixture
def unet_calls(pipe, monkeypatch):
    """The number of items of each call of the U-Net."""
    sizes, forward = [], pipe.unet.forward

    def count(sample, *positional, **keywords):
        sizes.append(len(sample))
        return forward(sample, *positional, **keywords)

    monkeypatch.setattr(pipe.unet, "forward", count)
    return sizes


# -- cost -------------------------------------------------------------------------------------------------------------


def test_latents_need_no_twin(pipe, radiograph, unet_calls):
    edit(pipe, radiograph, output_type="latent", num_inference_steps=4)
    without = list(unet_calls)
    unet_calls.clear()
    edit(pipe, radiograph, output_type="latent", num_inference_steps=4, twin=True)
    assert unet_calls == without and len(without) == 5
    unet_calls.clear()
    edit(pipe, radiograph, output_type="pt", num_inference_steps=4, twin=True)
    assert len(unet_calls) == 5 and sum(unet_calls) == sum(without) + 1 + 2 + 1  # the first step is shared


@pytest.mark.parametrize("count", [1, 4])
def test_each_picture_is_converted_once(pipe, monkeypatch, count):
    converted = []
    convert = ImageBatch.__dict__["pixels"].func

    def counted(batch):
        converted.append(len(batch))
        return convert(batch)

    pixels = cached_property(counted)
    pixels.__set_name__(ImageBatch, "pixels")
    monkeypatch.setattr(ImageBatch, "pixels", pixels)
    images = [make_radiograph(seed=seed) for seed in range(count)]
    edit(pipe, images, output_type="np")
    assert sorted(converted) == sorted([count, *[1] * count])  # the batch, and each picture for its alignment


def test_each_pseudomask_is_computed_once(pipe, radiograph, monkeypatch):
    computed = []
    compute = PseudomaskAtlas.for_instruction

    def counted(atlas, instruction, *positional, **keywords):
        computed.append(str(instruction))
        return compute(atlas, instruction, *positional, **keywords)

    monkeypatch.setattr(PseudomaskAtlas, "for_instruction", counted)
    edit(pipe, radiograph, f"{PROMPT} Remove the finding of cardiomegaly.", num_images_per_prompt=2, generator=None)
    assert len(computed) == 2


# -- callbacks --------------------------------------------------------------------------------------------------------


def test_the_deprecated_callback_counts_by_the_scheduler_that_runs(pipe, radiograph):
    pipe.scheduler = HeunDiscreteScheduler.from_config(pipe.scheduler.config)
    steps = {"reference": [], "default": []}
    arguments = {"num_inference_steps": 3, "mask_threshold": 0.1}
    edit(pipe, radiograph, reference=True, callback=lambda step, t, z: steps["reference"].append(step), **arguments)
    edit(pipe, radiograph, callback=lambda step, t, z: steps["default"].append(step), **{**arguments, **BARE})
    assert steps == {"reference": [0, 1, 2], "default": [0, 0, 1, 1, 2]}  # Heun predicts twice a step, but in the last


# -- numbers that are not finite --------------------------------------------------------------------------------------


def test_a_decoder_that_breaks_down_is_an_error_that_says_what_to_do(radiograph, monkeypatch):
    for dtype, remedy in ((torch.float16, "float32, or upcast the VAE alone"), (torch.float32, "Check the checkpoint")):
        pipe = make_pipeline(**make_components()).to(dtype)
        decode = pipe.vae.decode
        monkeypatch.setattr(pipe.vae, "decode", lambda *a, **k: (decode(*a, **k)[0] * float("nan"),))  # noqa: B023
        for arguments in ({}, {"composition": "decoded"}, {"restricted": False}, {"twin": True}):
            with pytest.raises(ValueError, match=f"The VAE decoded to numbers that are not finite in .*{remedy}"):
                edit(pipe, radiograph, **arguments)
        with pytest.raises(ValueError, match="The VAE decoded to numbers that are not finite"):
            edit(pipe, torch.randn(1, 4, CELLS, CELLS))


def test_a_vae_in_full_precision_decodes_for_a_unet_in_half(radiograph):
    pipe = make_pipeline(**make_components()).to(torch.float16)
    pipe.vae.to(torch.float32)
    for arguments in ({}, {"twin": True}, {"output_type": "latent"}):
        assert edit(pipe, radiograph, **arguments).images is not None


@pytest.mark.parametrize("output_type", ["pil", "latent"])
def test_denoising_that_breaks_down_is_an_error(pipe, radiograph, output_type):
    def spoil(pipe, step, timestep, tensors):
        return {"latents": tensors["latents"] * float("nan")}

    with pytest.raises(ValueError, match="Denoising gave latents that are not finite, in float32"):
        edit(pipe, radiograph, callback_on_step_end=spoil, output_type=output_type, restricted=False)
