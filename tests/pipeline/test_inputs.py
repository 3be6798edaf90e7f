"""Bad arguments, one by one: refused before any network runs, in one line that names the argument."""

import math
import re

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from PIL import Image
from tiny_models import CELL, NATIVE, PROMPT, make_pipeline, make_radiograph, make_unet, seeded

from x2x_core import PseudomaskAtlas
from x2x_core.edit.draw_checks import read_generators

CELLS = NATIVE // CELL
NOISE = torch.zeros(1, 4, CELLS, CELLS)
EMBEDS = torch.zeros(1, 77, 32)

BAD_ARGUMENTS = [
    ({"image": None}, "`image` must be given"),
    ({"image": "file.png"}, "`image` must be a Pillow picture"),
    ({"prompt": None}, '`prompt` must say what to edit, for example "Add'),
    ({"prompt": ""}, "`prompt` must say what to edit, but it is empty"),
    ({"prompt": "   "}, "`prompt` must say what to edit, but it is empty"),
    ({"prompt": []}, "`prompt` must be text or a list of at least one text"),
    ({"prompt": [PROMPT, 3]}, "`prompt` must be text or a list of at least one text"),
    ({"prompt": 7}, "`prompt` must be text or a list of texts, got int"),
    ({"restricted": False, "reference": True}, "`reference` must be left out with `restricted=False`"),
    ({"restricted": False, "pseudomask": torch.ones(64, 64)}, "`pseudomask` must be left out with `restricted=False`"),
    ({"restricted": False, "guidance_mask": torch.ones(64, 64)}, "`guidance_mask` must be left out with `restr"),
    ({"prompt": "Add the finding of edema. Remove the finding of edema."}, "`prompt` must not contradict itself"),
    ({"prompt_embeds": EMBEDS}, "`prompt` and `prompt_embeds` must not both"),
    ({"prompt": None, "prompt_embeds": torch.zeros(77, 32)}, r"`prompt_embeds` must be .* got \(77, 32\)"),
    ({"prompt": None, "prompt_embeds": [1]}, "`prompt_embeds` must be .* got list"),
    (
        {"prompt": None, "prompt_embeds": EMBEDS, "negative_prompt_embeds": torch.zeros(1, 7, 32)},
        r"must be of one shape, got \(1, 77, 32\) and \(1, 7, 32\)",
    ),
    ({"negative_prompt": "x", "negative_prompt_embeds": EMBEDS}, "`negative_prompt` and `negative_prompt_embeds`"),
    ({"negative_prompt": 5}, "`negative_prompt` must be text"),
    ({"negative_prompt": ["a", "b"]}, "`negative_prompt` must be one, or one for each of the 1 prompts, got 2"),
    ({"negative_prompt_embeds": torch.zeros(3, 77, 32)}, "`negative_prompt_embeds` must be for one prompt or for each"),
    ({"prompt": [PROMPT] * 3, "image": np.zeros((2, 9, 9, 1))}, "`prompt` must be one, or one for each of the 2"),
    ({"num_inference_steps": 0}, "`num_inference_steps` must be a whole number of at least 1, got 0"),
    ({"num_inference_steps": 2.5}, "`num_inference_steps` must be a whole number of at least 1, got 2.5"),
    ({"num_inference_steps": True}, "`num_inference_steps` must be a whole number"),
    ({"guidance_scale": math.nan}, "`guidance_scale` must be a finite number, got nan"),
    ({"guidance_scale": "7"}, "`guidance_scale` must be a finite number, got '7'"),
    ({"image_guidance_scale": math.inf}, "`image_guidance_scale` must be a finite number, got inf"),
    ({"mask_threshold": 1.4}, r"`mask_threshold` must lie in \[0, 1\], got 1.4"),
    ({"mask_threshold": -0.1}, r"`mask_threshold` must lie in \[0, 1\], got -0.1"),
    ({"relevance_noise_level": 2}, r"`relevance_noise_level` must lie in \[0, 1\], got 2"),
    ({"relevance_noise_level": [0.5, 2]}, r"`relevance_noise_level` must lie in \[0, 1\], got 2"),
    ({"relevance_noise_level": []}, "`relevance_noise_level` must be a number or a list of at least one number"),
    ({"relevance_noise_level": "0.8"}, r"`relevance_noise_level` must lie in \[0, 1\], got '0.8'"),
    (
        {"relevance_noise_level": [0.5, 0.8], "relevance_noise": torch.zeros(1, 3, 4, CELLS, CELLS)},
        "`relevance_noise` must hold as many draws for each of 2 noise levels, got 3",
    ),
    ({"mask_rule": "otsu"}, "`mask_rule` must be one of threshold, adaptive, got 'otsu'"),
    ({"mask_rule": "adaptive", "mask_threshold": 0.3}, "`mask_threshold` must be left out with `mask_rule='adaptive'`"),
    ({"remove_islands": "yes"}, "`remove_islands` must be True or False, got 'yes'"),
    ({"close_holes": 1}, "`close_holes` must be True or False, got 1"),
    ({"limit_area": 0.5}, "`limit_area` must be True or False, got 0.5"),
    ({"edit_strength": 1.5}, r"`edit_strength` must lie in \[0, 1\], got 1.5"),
    ({"edit_strength": -0.1}, r"`edit_strength` must lie in \[0, 1\], got -0.1"),
    ({"reference": True, "edit_strength": 0.5}, "`edit_strength` must be left out with `reference=True`"),
    ({"reference": True, "mask_rule": "adaptive"}, "`mask_rule` must be left out with `reference=True`"),
    ({"reference": True, "limit_area": True}, "`limit_area` must be left out with `reference=True`"),
    ({"reference": True, "relevance_noise_level": [0.5, 0.8]}, "`relevance_noise_level` must be one number with `ref"),
    ({"relevance_samples": 0}, "`relevance_samples` must be a whole number of at least 1, got 0"),
    ({"composition": "blend"}, "`composition` must be one of difference, saturating, decoded, got 'blend'"),
    ({"soft_edge": 0.7}, r"`soft_edge` must lie in \[0, 0.5\], got 0.7"),
    ({"num_images_per_prompt": 0}, "`num_images_per_prompt` must be a whole number of at least 1, got 0"),
    ({"output_type": "tensor"}, "`output_type` must be one of pil, np, pt, latent, got 'tensor'"),
    ({"generator": [seeded(), seeded()]}, "`generator` must be one, or one for each of the 1 edited images, got 2"),
    ({"latents": NOISE[:, :, :5]}, r"`latents` must be of shape \(1, 4, 16, 16\), got \(1, 4, 5, 16\)"),
    ({"latents": NOISE[None]}, r"`latents` must be of shape"),
    ({"latents": np.zeros(3)}, r"`latents` must be a tensor \(1, 4, 16, 16\), got ndarray"),
    ({"relevance_noise": NOISE[:, :3]}, r"`relevance_noise` must be of shape \(1, 4, 16, 16\), got \(1, 3, 16, 16\)"),
    ({"guidance_mask": np.ones((5, 5))}, "`guidance_mask` must be of the image's size, 64x64 pixels .* got 5x5"),
    ({"guidance_mask": np.ones((3, NATIVE, NATIVE))}, "`guidance_mask` must be one, or one for each of 1"),
    ({"guidance_mask": np.ones((NATIVE, NATIVE)), "pseudomask": np.ones((5, 5))}, "must not both be given"),
    ({"pseudomask": np.full((5, 5), 1.5)}, r"`pseudomask` must lie in \[0, 1\]"),
    ({"pseudomask": np.ones((2, 5, 5))}, "`pseudomask` must hold 1 mask"),
    ({"pseudomask": "left lung"}, "`pseudomask` must be a tensor"),
    ({"ip_adapter_image": 1, "ip_adapter_image_embeds": [EMBEDS]}, "must not both be given"),
    ({"ip_adapter_image_embeds": EMBEDS}, "`ip_adapter_image_embeds` must be a list of tensors"),
    ({"ip_adapter_image_embeds": [EMBEDS[0]]}, "`ip_adapter_image_embeds` must hold tensors of 3 or 4"),
    ({"callback_on_step_end_tensor_inputs": ["noise"]}, "`callback_on_step_end_tensor_inputs` must name some"),
    ({"callback_steps": 0}, "`callback_steps` must be a whole number"),
    ({"callback_on_step_end": 5}, "`callback_on_step_end` must be callable, got int"),
    ({"callback": "print"}, "`callback` must be callable, got str"),
    ({"callback_on_step_end_tensor_inputs": "latents"}, "`callback_on_step_end_tensor_inputs` must be a list of names"),
    ({"cross_attention_kwargs": 5}, "`cross_attention_kwargs` must be a dict of arguments by name, got 5"),
    ({"cross_attention_kwargs": {"scale": "1"}}, r"`cross_attention_kwargs\['scale'\]` must be a finite number, .*'1'"),
    ({"image": torch.zeros(0, 4, CELLS, CELLS)}, r"`image` must hold at least one .* got shape \(0, 4, 16, 16\)"),
    ({"image": NOISE * math.nan}, "`image` must hold finite numbers, got latents with NaN or infinity"),
    ({"latents": NOISE * math.nan}, "`latents` must hold finite numbers, got NaN or infinity"),
    ({"latents": NOISE - math.inf}, "`latents` must hold finite numbers, got NaN or infinity"),
    ({"relevance_noise": NOISE + math.inf}, "`relevance_noise` must hold finite numbers, got NaN or infinity"),
    ({"eta": math.nan}, r"`eta` must lie in \[0, 1\], got nan"),
    ({"eta": math.inf}, r"`eta` must lie in \[0, 1\], got inf"),
    ({"eta": "0"}, r"`eta` must lie in \[0, 1\], got '0'"),
    ({"generator": "5"}, "`generator` must be a torch.Generator, a whole number as a seed, or a list of .*, got str"),
    ({"generator": True}, "`generator` must be a torch.Generator, a whole number as a seed, .* got bool"),
    ({"generator": [0.5]}, "`generator` must be a torch.Generator, .* got float"),
    ({"generator": [1, 2]}, "`generator` must be one, or one for each of the 1 edited images, got 2"),
    ({"generator": 2**64}, r"`generator` as a seed must lie in \[-2\*\*63, 2\*\*64\), got 18446744073709551616"),
    ({"restricted": "no"}, "`restricted` must be True or False, got 'no'"),
    ({"reference": "yes"}, "`reference` must be True or False, got 'yes'"),
    ({"prompt": None, "prompt_embeds": EMBEDS[..., :8]}, "`prompt_embeds` must be of width 32, .* got 8"),
    ({"prompt": None, "prompt_embeds": EMBEDS * math.nan}, "`prompt_embeds` must hold finite numbers"),
    ({"prompt": None, "prompt_embeds": EMBEDS, "negative_prompt": "x"}, "as `negative_prompt_embeds` with `prompt_em"),
    ({"negative_prompt_embeds": EMBEDS[:, :5]}, "`negative_prompt_embeds` must hold 77 tokens, as the prompt, got 5"),
    ({"ip_adapter_image_embeds": [EMBEDS]}, "must be one for each of the 0 loaded IP-Adapters, got 1"),
    ({"ip_adapter_image_embeds": [1]}, "`ip_adapter_image_embeds` must be a list of tensors"),
]  # fmt: skip


REGION = torch.ones(NATIVE, NATIVE)
MASK_SETTINGS = {
    "mask_rule": "adaptive", "mask_threshold": 0.3, "remove_islands": False, "close_holes": True, "limit_area": False,
    "relevance_noise_level": 0.5, "relevance_samples": 2, "relevance_source": "noise", "align": True,
}  # fmt: skip
CONTRADICTIONS = [
    *(({"restricted": False, name: value}, f"`{name}` must be left out with `restricted=False`")
      for name, value in {**MASK_SETTINGS, "twin": True, "attention_gating": True}.items()),
    *(({"guidance_mask": REGION, name: value}, f"`{name}` must be left out with `guidance_mask`")
      for name, value in MASK_SETTINGS.items()),
    ({"restricted": False, "relevance_noise": NOISE}, "`relevance_noise` must be left out with `restricted=False`"),
]  # fmt: skip


@pytest.fixture
def idle(pipe, monkeypatch):
    """A pipeline none of whose networks, nor the lung network, may run."""

    def fail(*_, **__):
        raise AssertionError("a network ran")

    for part in (pipe.unet, pipe.text_encoder):
        monkeypatch.setattr(part, "forward", fail)
    monkeypatch.setattr(pipe.vae, "encode", fail)
    monkeypatch.setattr(pipe.vae, "decode", fail)
    monkeypatch.setattr(PseudomaskAtlas, "align", fail)
    yield pipe
    monkeypatch.undo()


def shown(value):
    """The same in each process: without addresses of objects."""
    return re.sub(r" at 0x\w+", "", str(value))[:60]


@pytest.mark.parametrize(("changed", "message"), BAD_ARGUMENTS + CONTRADICTIONS, ids=shown)
def test_a_bad_argument_is_refused_before_any_network_runs(idle, radiograph, changed, message):
    with pytest.raises(ValueError, match=message) as caught:
        idle(**{"image": radiograph, "prompt": PROMPT, **changed})
    assert str(caught.value).count("\n") == 0 and len(str(caught.value)) < 400


def test_what_a_checkpoint_recommends_contradicts_nothing(shared_components, radiograph):
    recommended = {"twin": True, "mask_rule": "adaptive", "relevance_samples": 2, "limit_area": False}
    pipe = make_pipeline(**shared_components, recommended=recommended)
    for mode in ({"restricted": False}, {"guidance_mask": REGION}, {"reference": True}):
        assert pipe(radiograph, PROMPT, num_inference_steps=1, generator=0, **mode).images


def test_what_means_the_same_as_leaving_it_out_contradicts_nothing(pipe, radiograph):
    off = {"twin": False, "attention_gating": False, "align": False, "mask_rule": None}
    for mode in ({"restricted": False}, {"guidance_mask": REGION}):
        plain, given = (
            pipe(radiograph, PROMPT, num_inference_steps=1, generator=0, output_type="pt", **mode, **more).images
            for more in ({}, off)
        )
        assert torch.equal(plain, given)


@pytest.mark.parametrize("seed", [5, np.int64(5)])
def test_a_whole_number_is_a_seed(pipe, radiograph, seed):
    edits = [
        pipe(radiograph, PROMPT, num_inference_steps=1, output_type="pt", generator=generator).images
        for generator in (seed, seeded(5), [seed], [seeded(5)])
    ]
    assert torch.equal(edits[0], edits[1]) and torch.equal(edits[2], edits[3])
    pair, expected = (
        pipe(radiograph, [PROMPT] * 2, num_inference_steps=1, output_type="pt", generator=generators).images
        for generators in ((1, 2), [seeded(1), seeded(2)])
    )
    assert torch.equal(pair, expected) and not torch.equal(pair[0], pair[1])


def test_a_generator_on_another_device_is_refused():
    class Elsewhere(torch.Generator):
        device = torch.device("cuda")

    with pytest.raises(ValueError, match="`generator` must be on the CPU or on the pipeline's device, cpu, got cuda"):
        read_generators(Elsewhere(), 1, torch.device("cpu"))


def test_a_pipeline_without_a_text_encoder_needs_embeddings(shared_components, radiograph):
    bare = make_pipeline(**{**shared_components, "text_encoder": None, "tokenizer": None})
    with pytest.raises(ValueError, match="`prompt_embeds` must be given: this pipeline has no text encoder"):
        bare(radiograph, PROMPT)
    with pytest.raises(ValueError, match="`negative_prompt_embeds` must be given: this pipeline has no text encoder"):
        bare(radiograph, prompt_embeds=EMBEDS)


def test_an_unknown_argument_is_refused_in_one_line(pipe, radiograph):
    for call in (pipe, pipe.guidance, pipe.relevance):
        with pytest.raises(TypeError, match=r"^InstructX2XPipeline takes no argument `strength`\.") as caught:
            call(radiograph, PROMPT, strength=0.5)
        assert "\n" not in str(caught.value)
    with pytest.raises(TypeError, match=r"takes no argument `mask_treshold`\. Did you mean `mask_threshold`\?$"):
        pipe.guidance(radiograph, PROMPT, mask_treshold=0.5)


def test_arguments_of_the_edit_are_refused_by_the_maps(pipe, radiograph):
    for look, name in (
        (pipe.relevance, "edit_strength"),
        (pipe.relevance, "mask_threshold"),
        (pipe.relevance, "pseudomask"),
        (pipe.guidance, "guidance_scale"),
        (pipe.guidance, "output_type"),
    ):
        with pytest.raises(TypeError, match=f"`{name}` has no bearing on this map: leave it out"):
            look(radiograph, PROMPT, **{name: 0.5})


@pytest.mark.parametrize("call", ["__call__", "guidance", "relevance"])
def test_both_orders_of_image_and_prompt_work(pipe, radiograph, call):
    call = getattr(pipe, call)
    expected = call(radiograph, PROMPT, generator=0).relevance_map
    for positional, keywords in (
        ((PROMPT,), {"image": radiograph}),
        (([PROMPT],), {"image": radiograph}),
        ((radiograph,), {"prompt": PROMPT}),
        ((), {"prompt": PROMPT, "image": radiograph}),
    ):
        assert torch.equal(call(*positional, generator=0, **keywords).relevance_map, expected)


@pytest.mark.parametrize("call", ["__call__", "guidance", "relevance"])
def test_image_and_prompt_in_the_wrong_order_are_refused_with_the_right_call(pipe, radiograph, call):
    call = getattr(pipe, call)
    right = r"call `pipe\(image, prompt\)` or `pipe\(prompt, image=image\)`"
    for prompt in (PROMPT, [PROMPT, PROMPT]):
        with pytest.raises(ValueError, match=right):
            call(prompt, radiograph)
    with pytest.raises(ValueError, match="image first"):
        call(PROMPT, [PROMPT])
    with pytest.raises(ValueError, match="`image` must be given"):
        call(prompt=PROMPT)


def test_a_prompt_without_an_image_is_refused_with_the_right_call(pipe):
    for call in (pipe, pipe.guidance, pipe.relevance):
        with pytest.raises(ValueError, match=r"`image` must be given.*argument is text.*pipe\(prompt, image=image"):
            call("Add the finding of edema.")


def test_more_steps_than_the_scheduler_has_are_refused(pipe, radiograph):
    with pytest.raises(ValueError, match=r"`num_inference_steps` must be at most 1000, .* got 5000"):
        pipe(radiograph, "Add the finding of edema.", num_inference_steps=5000)


def test_arguments_given_twice_are_refused(pipe, radiograph):
    with pytest.raises(TypeError, match="got `prompt` twice"):
        pipe("Add the finding of edema.", image=radiograph, prompt="Add the finding of edema.")
    with pytest.raises(TypeError, match="got `image` twice"):
        pipe(radiograph, image=radiograph)
    with pytest.raises(TypeError, match="got `prompt` twice"):
        pipe(radiograph, PROMPT, prompt=PROMPT)
    with pytest.raises(TypeError, match="at most 2 positional arguments"):
        pipe(radiograph, PROMPT, 20)


def test_a_unet_of_another_kind_is_refused(shared_components, radiograph):
    with pytest.raises(ValueError, match=r"`unet` must take 8 channels, .* but it takes 4"):
        make_pipeline(**{**shared_components, "unet": make_unet(channels=4)})(radiograph, PROMPT)


def test_a_scheduler_of_another_kind_is_refused(pipe, radiograph):
    pipe.scheduler = FlowMatchEulerDiscreteScheduler()
    with pytest.raises(ValueError, match=r"`scheduler` must be one .* got FlowMatchEulerDiscreteScheduler"):
        pipe(radiograph, PROMPT)


def test_looking_checks_its_arguments_too(pipe, radiograph):
    with pytest.raises(ValueError, match="`mask_threshold`"):
        pipe.guidance(radiograph, PROMPT, mask_threshold=3)
    with pytest.raises(ValueError, match="`relevance_samples`"):
        pipe.relevance(radiograph, PROMPT, relevance_samples=0)
    with pytest.raises(ValueError, match="`prompt`"):
        pipe.relevance(radiograph)


def test_overflow_in_half_precision_is_reported(pipe, radiograph, monkeypatch):
    monkeypatch.setattr(pipe.unet, "forward", lambda sample, *rest, **more: (sample[:, :4] * float("nan"),))
    with pytest.raises(ValueError, match=r"not finite numbers\. In half precision, load the pipeline in float32"):
        pipe.relevance(radiograph, PROMPT)


def test_numpy_numbers_are_accepted_as_arguments(pipe):
    image = Image.fromarray(make_radiograph())
    numbers = {"num_inference_steps": np.int64(1), "guidance_scale": np.float64(3), "mask_threshold": np.float32(0.5)}
    pipe(image, PROMPT, generator=seeded(), **numbers)
