"""Expectations that users of diffusers have of a pipeline."""

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline
from diffusers.callbacks import PipelineCallback
from PIL import Image
from tiny_models import (
    CELL,
    NATIVE,
    PROMPT,
    make_components,
    make_pipeline,
    make_radiograph,
    make_scheduler,
    make_text_encoder,
    make_unet,
    seeded,
)

FREE_TEXT = "A painting of a squirrel eating a burger"
SCHEDULERS = [
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "UniPCMultistepScheduler",
]


def edit(pipe, image, prompt=PROMPT, **arguments):
    return pipe(image, prompt, **{"num_inference_steps": 2, "generator": seeded(), "output_type": "pt", **arguments})


@pytest.fixture
def colour():
    return torch.rand(1, 3, NATIVE, NATIVE, generator=seeded(7))


@pytest.fixture
def stock(pipe):
    pipe = StableDiffusionInstructPix2PixPipeline(**pipe.components, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


# -- without restriction: the stock pipeline --------------------------------------------------------------------------


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_free_text_on_a_coloured_picture_is_the_stock_arithmetic(pipe, stock, colour, scheduler):
    for one in (pipe, stock):
        one.scheduler = getattr(diffusers, scheduler).from_config(one.scheduler.config)
    arguments = {"num_inference_steps": 4, "guidance_scale": 6.0, "eta": 0.3, "output_type": "pt"}
    expected = stock(FREE_TEXT, colour, generator=seeded(), **arguments).images
    found = pipe(colour, FREE_TEXT, image_guidance_scale=1.5, generator=seeded(), **arguments).images
    assert torch.allclose(found, expected, atol=1e-5)


def test_an_instruction_without_restriction_is_the_stock_arithmetic(pipe, stock):
    grey = torch.from_numpy(make_radiograph())[None, None] / 255
    expected = stock(
        PROMPT, grey.expand(-1, 3, -1, -1), num_inference_steps=4, generator=seeded(), output_type="pt"
    ).images
    found = edit(pipe, grey, num_inference_steps=4, restricted=False)
    assert torch.allclose(found.images, expected.mean(1, keepdim=True), atol=1e-5)
    assert found.guidance_mask.all() and found.relevance_map is None


@pytest.mark.parametrize("output_type", ["pil", "np", "pt", "latent"])
@pytest.mark.parametrize("form", ["tensor", "array", "picture", "pictures", "small", "latents"])
def test_every_input_and_output_is_as_from_the_stock_pipeline(pipe, stock, colour, form, output_type):
    array = colour.permute(0, 2, 3, 1).numpy()
    picture = Image.fromarray((array[0] * 255).round().astype(np.uint8))
    image = {
        "tensor": colour,
        "array": array,
        "picture": picture,
        "pictures": [picture, picture.transpose(Image.Transpose.ROTATE_90)],
        "small": picture.resize((40, 32)),
        "latents": torch.randn(1, 4, 16, 16, generator=seeded(3)),
    }[form]
    arguments = {"num_inference_steps": 2, "guidance_scale": 4.0, "output_type": output_type}
    prompt = [FREE_TEXT, "make it blue"] if form == "pictures" else FREE_TEXT
    expected = stock(prompt, image, generator=seeded(), negative_prompt=None, **arguments).images
    found = pipe(image, prompt, generator=seeded(), **arguments).images
    expected, found = (np.stack([np.asarray(one, np.float64) for one in images]) for images in (expected, found))
    assert expected.shape == found.shape and np.abs(found - expected).max() <= (1 if output_type == "pil" else 1e-4)


def test_batches_noise_and_negative_prompts_are_as_in_the_stock_pipeline(pipe, stock, colour):
    noise = torch.randn(2, 4, 16, 16, generator=seeded(3))
    words = [FREE_TEXT, "make it blue"]
    for arguments in (
        {"prompt": words, "generator": [seeded(1), seeded(2)]},
        {"prompt": FREE_TEXT, "num_images_per_prompt": 2},
        {"prompt": FREE_TEXT, "num_images_per_prompt": 2, "latents": noise},
        {"prompt": words, "negative_prompt": ["red", "green"]},
        {"prompt": FREE_TEXT, "negative_prompt": "red"},
        {"prompt": None, "prompt_embeds": torch.randn(2, 77, 32, generator=seeded(4))},
    ):
        common = {"image": colour, "num_inference_steps": 2, "output_type": "pt"}
        generators = [
            {"generator": (arguments.get("generator") and [seeded(1), seeded(2)]) or seeded(5)} for _ in range(2)
        ]
        expected = stock(**common, **{**arguments, **generators[0]}).images
        found = pipe(**common, **{**arguments, **generators[1]}).images
        assert torch.allclose(found, expected, atol=1e-5), arguments.keys()


def test_a_picture_that_is_no_multiple_of_a_cell_comes_back_at_its_size(pipe):
    picture = torch.rand(1, 3, 33, 47, generator=seeded())
    assert edit(pipe, picture, FREE_TEXT).images.shape == (1, 3, 33, 47)
    assert edit(pipe, torch.rand(1, 3, 300, 100, generator=seeded()), FREE_TEXT).images.shape == (1, 3, 300, 100)


# -- with restriction -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_restricted_edits_work_with_every_scheduler(pipe, radiograph, scheduler):
    pipe.scheduler = getattr(diffusers, scheduler).from_config(pipe.scheduler.config)
    latents = edit(pipe, radiograph, num_inference_steps=5, output_type="latent")
    original = edit(pipe, radiograph, guidance_mask=np.zeros((NATIVE, NATIVE)), output_type="latent").images
    assert torch.isfinite(latents.images).all() and latents.images.abs().max() < 1e3
    mask = torch.nn.functional.max_pool2d(latents.guidance_mask.float(), CELL)[0, 0] > 0
    assert torch.equal(latents.images[..., ~mask], original[..., ~mask])
    assert (latents.images != original)[..., mask].any(dim=1).all()


def test_a_scheduler_is_left_as_it_was_configured(pipe, radiograph):
    config = dict(pipe.scheduler.config)
    edit(pipe, radiograph)
    edit(pipe, radiograph, reference=True)
    assert dict(pipe.scheduler.config) == config


@pytest.mark.parametrize("reference", [False, True])
def test_a_model_that_predicts_v_edits_as_the_one_that_predicts_noise(pipe, radiograph, reference, monkeypatch):
    found = edit(pipe, radiograph, reference=reference)
    other = make_pipeline(**{**pipe.components, "scheduler": make_scheduler("v_prediction")})
    forward, alphas_cumprod = pipe.unet.forward, other.scheduler.alphas_cumprod

    def as_v(sample, timestep, **rest):
        alpha = alphas_cumprod[torch.as_tensor(timestep).long()].reshape(-1, 1, 1, 1)  # one timestep, or one an item
        return ((forward(sample, timestep, **rest)[0] - (1 - alpha) ** 0.5 * sample[:, :4]) / alpha**0.5,)

    monkeypatch.setattr(other.unet, "forward", as_v)
    same = edit(other, radiograph, reference=reference)
    assert torch.allclose(found.relevance_map, same.relevance_map, atol=1e-3)
    assert torch.allclose(found.images, same.images, atol=2e-3)


# -- callbacks --------------------------------------------------------------------------------------------------------


def test_a_callback_sees_each_step_and_the_tensors_it_asks_for(pipe, radiograph):
    told = []

    def callback(pipe, step, timestep, tensors):
        told.append((step, int(timestep), {name: tuple(value.shape) for name, value in tensors.items()}))
        return tensors

    names = pipe._callback_tensor_inputs
    edit(
        pipe, radiograph, num_inference_steps=3, callback_on_step_end=callback, callback_on_step_end_tensor_inputs=names
    )
    shapes = {"latents": (1, 4, 16, 16), "prompt_embeds": (3, 77, 32), "image_latents": (3, 4, 16, 16)}
    assert told == [(step, int(t), shapes) for step, t in enumerate(pipe.scheduler.timesteps)]
    assert pipe.num_timesteps == 3


def test_what_a_callback_changes_is_taken_over(pipe, colour, radiograph):
    def clear(pipe, step, timestep, tensors):
        return {name: torch.zeros_like(value) for name, value in tensors.items()} if step == 1 else {}

    for image, prompt in ((colour, FREE_TEXT), (radiograph, PROMPT)):
        assert edit(pipe, image, prompt, callback_on_step_end=clear, output_type="latent").images.abs().sum() == 0

    def silence(pipe, step, timestep, tensors):
        return {"prompt_embeds": torch.zeros_like(tensors["prompt_embeds"])}

    silenced = edit(
        pipe, radiograph, callback_on_step_end=silence, callback_on_step_end_tensor_inputs=["prompt_embeds"]
    ).images
    assert not torch.equal(silenced, edit(pipe, radiograph).images)


def test_a_callback_may_change_the_scales_and_give_nothing_back(pipe, radiograph):
    def louder(pipe, step, timestep, tensors):
        pipe._guidance_scale += 1.0

    edit(pipe, radiograph, guidance_scale=2.0, num_inference_steps=4, callback_on_step_end=louder)
    assert pipe.guidance_scale == 2.0 + pipe.num_timesteps == 6.0


def test_a_callback_object_names_its_tensors(pipe, radiograph):
    class Watch(PipelineCallback):
        tensor_inputs = ("image_latents",)

        def __init__(self, **options):
            super().__init__(**options)
            self.seen = []

        def callback_fn(self, pipeline, step_index, timestep, callback_kwargs):
            self.seen.append(set(callback_kwargs))
            return callback_kwargs

    watch = Watch(cutoff_step_ratio=1.0)
    edit(pipe, radiograph, callback_on_step_end=watch)
    assert watch.seen == [{"image_latents"}] * 2


def test_an_interrupted_edit_ends_after_the_step_and_keeps_the_outside(pipe, radiograph):
    steps = []

    def stop(pipe, step, timestep, tensors):
        steps.append(step)
        pipe._interrupt = True
        return tensors

    output = edit(pipe, radiograph, num_inference_steps=9, callback_on_step_end=stop, output_type="pil")
    outside = ~output.guidance_mask[0, 0].numpy()
    assert steps == [0]
    assert (np.asarray(output.images[0])[outside] == np.asarray(radiograph)[outside]).all()
    assert not torch.equal(edit(pipe, radiograph).images, torch.zeros(1)) and not pipe.interrupt


def test_the_deprecated_callback_is_still_called(pipe, radiograph):
    steps = []
    edit(
        pipe, radiograph, num_inference_steps=5, callback=lambda step, t, latents: steps.append(step), callback_steps=2
    )
    assert steps == [0, 2, 4]


def test_progress_is_shown_and_can_be_hidden(pipe, radiograph, capsys):
    pipe.set_progress_bar_config(disable=False)
    edit(pipe, radiograph, num_inference_steps=3)
    assert "3/3" in capsys.readouterr().err
    pipe.set_progress_bar_config(disable=True)
    edit(pipe, radiograph)
    assert not capsys.readouterr().err


# -- guidance scales --------------------------------------------------------------------------------------------------


def test_scales_of_one_skip_guidance_with_the_same_result(pipe, radiograph, monkeypatch):
    arguments = {"guidance_scale": 1.0, "image_guidance_scale": 1.0}
    sizes = []
    forward = pipe.unet.forward
    monkeypatch.setattr(
        pipe.unet, "forward", lambda sample, *rest, **more: sizes.append(len(sample)) or forward(sample, *rest, **more)
    )
    short = edit(pipe, radiograph, relevance_samples=1, **arguments).images
    assert sizes == [2, 1, 1] and not pipe.do_classifier_free_guidance
    full = edit(pipe, radiograph, relevance_samples=1, guidance_scale=1.0 + 1e-9, image_guidance_scale=1.0).images
    assert sizes[3:] == [2, 2, 2] and torch.allclose(short, full, atol=1e-4)


def test_an_image_scale_under_one_does_not_switch_guidance_off(pipe, radiograph):
    first, second = (edit(pipe, radiograph, image_guidance_scale=0.5, guidance_scale=scale).images for scale in (3, 9))
    assert not torch.allclose(first, second, atol=1e-4)


# -- add-ons ----------------------------------------------------------------------------------------------------------


def test_lora_weights_are_loaded_and_unloaded(pipe, radiograph, tmp_path):
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    unet = make_unet()
    unet.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_v"], init_lora_weights=False))
    StableDiffusionInstructPix2PixPipeline.save_lora_weights(tmp_path, unet_lora_layers=get_peft_model_state_dict(unet))
    pipe.unet = make_unet()
    before = edit(pipe, radiograph).images
    pipe.load_lora_weights(tmp_path)
    loaded = edit(pipe, radiograph).images
    silent = edit(pipe, radiograph, cross_attention_kwargs={"scale": 0.0}).images
    assert not torch.allclose(loaded, before, atol=1e-3) and torch.allclose(silent, before, atol=1e-4)
    pipe.unload_lora_weights()
    assert torch.allclose(edit(pipe, radiograph).images, before, atol=1e-5)


def test_the_scale_weights_lora_layers_of_the_text_encoder_too(radiograph):
    from peft import LoraConfig

    pipe = make_pipeline(**make_components())
    before = edit(pipe, radiograph).images
    pipe.text_encoder.add_adapter(LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    full = edit(pipe, radiograph).images
    silent = edit(pipe, radiograph, cross_attention_kwargs={"scale": 0.0}).images
    assert torch.allclose(silent, before, atol=1e-5) and not torch.allclose(full, before, atol=1e-4)
    assert torch.allclose(edit(pipe, radiograph).images, full, atol=1e-5)


def test_textual_inversion_teaches_a_word(radiograph):
    pipe = make_pipeline(**make_components())
    prompt = "Add the finding of <opaque> pleural effusion."
    before = edit(pipe, radiograph, prompt)
    pipe.load_textual_inversion({"<opaque>": torch.ones(32)}, token="<opaque>")
    after = edit(pipe, radiograph, prompt)
    assert not torch.equal(before.images, after.images)
    assert after.instructions[0].findings == ("pleural effusion",)


def ip_adapter_weights(unet, width):
    """Weights of a tiny IP-Adapter for this U-Net, in the published layout."""
    state, number = {}, 1
    for name in unet.attn_processors:
        if name.endswith("attn2.processor"):
            block = unet.get_submodule(name.removesuffix(".processor"))
            for part in ("k", "v"):
                weights = torch.randn(block.inner_dim, 32, generator=seeded(number)) * 0.5
                state[f"{number}.to_{part}_ip.weight"] = weights
            number += 2
    projection = {
        "proj.weight": torch.randn(4 * 32, width, generator=seeded()),
        "proj.bias": torch.zeros(4 * 32),
        "norm.weight": torch.ones(32),
        "norm.bias": torch.zeros(32),
    }
    return {"image_proj": projection, "ip_adapter": state}


def test_an_ip_adapter_works_with_image_embeddings_alone(radiograph):
    pipe = make_pipeline(**make_components())
    plain = edit(pipe, radiograph).images
    pipe.unet._load_ip_adapter_weights([ip_adapter_weights(pipe.unet, 16)])
    embeds = torch.randn(3, 1, 16, generator=seeded())
    pipe.set_ip_adapter_scale(1.0)
    led = edit(pipe, radiograph, ip_adapter_image_embeds=[embeds])
    assert not torch.allclose(led.images, plain, atol=1e-3)
    pipe.set_ip_adapter_scale(0.0)
    assert torch.allclose(edit(pipe, radiograph, ip_adapter_image_embeds=[embeds]).images, plain, atol=1e-4)
    two = edit(pipe, radiograph, ip_adapter_image_embeds=[embeds], num_images_per_prompt=2)
    assert two.images.shape[0] == 2


class Censor:
    """A safety checker that objects to some of the pictures, and blackens them as diffusers' does."""

    def __init__(self, objects_to):
        self.objects_to = objects_to

    def __call__(self, images, clip_input):
        bad = [number in self.objects_to for number in range(len(images))]
        for number in self.objects_to:
            images[number] = 0
        return images, bad


class Extractor(dict):
    def __call__(self, images, return_tensors):
        self.pixel_values = torch.zeros(len(images), 3, 8, 8)
        return self

    def to(self, device):
        return self


def test_an_image_that_the_safety_checker_flags_is_not_returned(pipe, radiograph, colour, caplog):
    pipe.safety_checker, pipe.feature_extractor = Censor([1]), Extractor()
    output = edit(pipe, radiograph, num_images_per_prompt=2, output_type="pil")
    assert output.nsfw_content_detected == [False, True] and "objected to edit 1" in caplog.text
    assert np.array_equal(np.asarray(output.images[1]), np.asarray(radiograph))
    assert not np.array_equal(np.asarray(output.images[0]), np.asarray(radiograph))
    free = edit(pipe, colour, FREE_TEXT, num_images_per_prompt=2)
    assert free.images[1].max() == 0 and free.images[0].max() > 0


# -- precision and placement ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_edits_and_keeps_the_outside(radiograph, dtype):
    pipe = make_pipeline(**make_components()).to(dtype)
    output = edit(pipe, radiograph, output_type="pil")
    outside = ~output.guidance_mask[0, 0].numpy()
    before, after = np.asarray(radiograph), np.asarray(output.images[0])
    assert (before[outside] == after[outside]).all() and (before[~outside] != after[~outside]).any()
    assert torch.isfinite(output.relevance_map).all() and output.relevance_map.dtype == torch.float32


@pytest.mark.parametrize(("dtype", "warned"), [(torch.float16, True), (torch.bfloat16, False), (torch.float32, False)])
def test_float16_on_a_cpu_is_warned_of(radiograph, caplog, dtype, warned):
    edit(make_pipeline(**make_components()).to(dtype), radiograph)
    assert ("float16 on a CPU" in caplog.text) is warned


def test_attention_slicing_and_vae_slicing_change_nothing(radiograph):
    pipe = make_pipeline(**make_components())  # its own: slicing leaves other attention processors behind
    before = edit(pipe, radiograph, num_images_per_prompt=2).images
    pipe.enable_attention_slicing(1)
    pipe.vae.enable_slicing()
    assert torch.allclose(edit(pipe, radiograph, num_images_per_prompt=2).images, before, atol=1e-3)


def test_hooks_of_offloading_are_freed_after_each_call(pipe, radiograph, monkeypatch):
    freed = []
    monkeypatch.setattr(pipe, "maybe_free_model_hooks", lambda: freed.append(True))
    edit(pipe, radiograph)
    pipe.guidance(radiograph, PROMPT)
    pipe.relevance(radiograph, PROMPT)
    assert len(freed) == 3


def test_modules_may_be_moved_between_calls_as_offloading_does(radiograph, monkeypatch):
    """Sequential offloading keeps weights on the meta device and runs on another: here the CPU stands for it."""
    from accelerate import cpu_offload

    pipe = make_pipeline(**make_components())
    before = edit(pipe, radiograph).images
    for name in ("text_encoder", "unet", "vae"):
        cpu_offload(getattr(pipe, name), torch.device("cpu"))
    assert pipe.unet.conv_in.weight.device.type == "meta"
    assert torch.allclose(edit(pipe, radiograph).images, before, atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="offloading to a GPU needs one")
@pytest.mark.parametrize("kind", ["enable_model_cpu_offload", "enable_sequential_cpu_offload"])
def test_offloading_gives_the_same_edit(radiograph, kind):
    pipe = make_pipeline(**make_components())
    before = edit(pipe, radiograph).images
    getattr(pipe, kind)()
    assert torch.allclose(edit(pipe, radiograph).images, before, atol=1e-2)


def test_the_text_encoder_may_be_left_out_where_embeddings_are_given(pipe, radiograph, shared_components):
    text = make_pipeline(**shared_components)
    embeds = text._encode_prompt(PROMPT, torch.device("cpu"), 1, False)
    negative = text._encode_prompt("", torch.device("cpu"), 1, False)
    bare = make_pipeline(**{**shared_components, "text_encoder": None, "tokenizer": None})
    mask = np.ones((NATIVE, NATIVE))
    found = edit(bare, radiograph, None, prompt_embeds=embeds, negative_prompt_embeds=negative, guidance_mask=mask)
    assert torch.allclose(found.images, edit(pipe, radiograph, guidance_mask=mask).images, atol=1e-5)


def test_the_model_in_training_mode_is_not_switched(pipe, radiograph):
    pipe.text_encoder = make_text_encoder().train()
    edit(pipe, radiograph)
    assert pipe.text_encoder.training
    assert make_radiograph().shape == (NATIVE, NATIVE)
