"""Bad input, one by one: refused before any work, in one sentence that names the argument."""

import math

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from PIL import Image
from tiny_models import CELL, NATIVE, PROMPT, make_pipeline, make_radiograph, make_unet, seeded

from x2x_core.edit.settings import DEFAULT, PUBLISHED, EditSettings, resolve_settings

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
    ({"composition": "blend"}, "`composition` must be one of difference, decoded, got 'blend'"),
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
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), BAD_ARGUMENTS, ids=lambda value: str(value)[:60])
def test_a_bad_argument_is_refused_before_any_work(pipe, radiograph, changed, message, monkeypatch):
    def fail(*told, **more):
        raise AssertionError("work began")

    with monkeypatch.context() as watch, pytest.raises(ValueError, match=message) as caught:
        watch.setattr(pipe.unet, "forward", fail)
        watch.setattr(pipe.vae, "encode", fail)
        pipe(**{"image": radiograph, "prompt": PROMPT, **changed})
    assert str(caught.value).count("\n") == 0 and len(str(caught.value)) < 400


def test_an_unknown_argument_is_refused(pipe, radiograph):
    with pytest.raises(TypeError, match="takes no argument `strength`"):
        pipe(radiograph, PROMPT, strength=0.5)
    for look, name in ((pipe.relevance, "strength"), (pipe.guidance, "guidance_scale")):
        with pytest.raises(TypeError, match=f"`{name}` has no bearing on the maps"):
            look(radiograph, PROMPT, **{name: 0.5})


def test_image_and_prompt_in_the_wrong_order_are_told_apart(pipe, radiograph):
    with pytest.raises(ValueError, match="image first"):
        pipe(PROMPT, [PROMPT])
    with pytest.raises(ValueError, match="`prompt` must be text"):
        pipe(PROMPT, radiograph)


def test_a_unet_of_another_kind_is_refused(shared_components, radiograph):
    with pytest.raises(ValueError, match="`unet` must take 8 channels, .* but it takes 4"):
        make_pipeline(**{**shared_components, "unet": make_unet(channels=4)})(radiograph, PROMPT)


def test_a_scheduler_of_another_kind_is_refused(pipe, radiograph):
    pipe.scheduler = FlowMatchEulerDiscreteScheduler()
    with pytest.raises(ValueError, match="`scheduler` must be one .* got FlowMatchEulerDiscreteScheduler"):
        pipe(radiograph, PROMPT)


def test_looking_checks_its_arguments_too(pipe, radiograph):
    with pytest.raises(ValueError, match="`mask_threshold`"):
        pipe.guidance(radiograph, PROMPT, mask_threshold=3)
    with pytest.raises(ValueError, match="`relevance_samples`"):
        pipe.relevance(radiograph, PROMPT, relevance_samples=0)
    with pytest.raises(ValueError, match="`prompt`"):
        pipe.relevance(radiograph)


def test_half_precision_that_breaks_down_is_said(pipe, radiograph, monkeypatch):
    monkeypatch.setattr(pipe.unet, "forward", lambda sample, *rest, **more: (sample[:, :4] * float("nan"),))
    with pytest.raises(ValueError, match="not finite numbers. In half precision, load the pipeline in float32"):
        pipe.relevance(radiograph, PROMPT)


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_come_from_the_call_then_the_checkpoint_then_the_defaults():
    config = {"recommended_guidance_scale": 3.0, "recommended_num_inference_steps": 8, "other": 1}
    found = resolve_settings({"guidance_scale": None, "num_inference_steps": 4, "mask_threshold": 0.0}, config)
    assert (found.guidance_scale, found.num_inference_steps, found.mask_threshold) == (3.0, 4, 0.0)
    assert found.image_guidance_scale == DEFAULT.image_guidance_scale
    assert resolve_settings({}, {}) == DEFAULT == EditSettings()


def test_published_settings_hold_whatever_is_recommended():
    assert resolve_settings({}, {"recommended_guidance_scale": 3.0}, reference=True) == PUBLISHED
    assert resolve_settings({"num_inference_steps": 8}, {}, reference=True).num_inference_steps == 8
    assert (PUBLISHED.num_inference_steps, PUBLISHED.relevance_samples, PUBLISHED.soft_edge) == (100, 1, 0.0)


def test_a_threshold_that_is_asked_for_counts_whatever_rule_is_recommended():
    config = {"recommended_mask_rule": "adaptive"}
    assert resolve_settings({}, config).mask_rule == "adaptive"
    assert resolve_settings({"mask_threshold": 0.2}, config).mask_rule == "threshold"
    assert resolve_settings({"mask_rule": "adaptive"}, {}).mask_rule == "adaptive"


def test_levels_are_kept_as_one_number_or_as_a_tuple():
    assert resolve_settings({}, {"recommended_relevance_noise_level": [0.6, 0.8]}).relevance_noise_level == (0.6, 0.8)
    assert EditSettings(relevance_noise_level=[0.5]).relevance_noise_level == 0.5
    assert (EditSettings().relevance_levels, EditSettings(relevance_noise_level=(0.1, 0.2)).relevance_levels) == (1, 2)


def test_a_recommendation_out_of_range_is_refused():
    with pytest.raises(ValueError, match="`mask_threshold`"):
        resolve_settings({}, {"recommended_mask_threshold": 5.0})


def test_numpy_numbers_are_numbers(pipe):
    image = Image.fromarray(make_radiograph())
    numbers = {"num_inference_steps": np.int64(1), "guidance_scale": np.float64(3), "mask_threshold": np.float32(0.5)}
    pipe(image, PROMPT, generator=seeded(), **numbers)
