"""Parity with the published code: a case computed by running it, and its arithmetic written out for others."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from PIL import Image
from tiny_models import FIXTURES, make_unet, seeded

from x2x_core.pipeline import InstructX2XPipeline

REFERENCE = FIXTURES / "reference"


@pytest.fixture(scope="module")
def case():
    with np.load(REFERENCE / "case.npz") as stored:
        case = {name: stored[name] for name in stored}
    case["mask"] = np.unpackbits(case["mask"]).reshape(512, 512).astype(bool)
    for name in ("relevance", "edited"):
        case[name] = case[name].astype(np.float32) / 65535
    return case


@pytest.fixture(scope="module")
def pipe():
    pipe = InstructX2XPipeline.from_pretrained(REFERENCE / "tiny-model", pseudomasks=REFERENCE / "pseudomasks")
    pipe.set_progress_bar_config(disable=True)
    return pipe


def replay(pipe, case, **changed):
    arguments = {
        "image": Image.fromarray(case["image"]),
        "prompt": str(case["prompt"]),
        "num_inference_steps": int(case["steps"]),
        "mask_threshold": float(case["tau"]),
        "latents": torch.from_numpy(case["noise"]),
        "relevance_noise": torch.from_numpy(case["relevance_noise"]),
        "output_type": "np",
        "reference": True,
    }
    return pipe(**{**arguments, **changed})


@pytest.fixture(scope="module")
def replayed(pipe, case):
    return replay(pipe, case)


def test_the_guidance_mask_is_the_published_one(replayed, case):
    assert (replayed.guidance_mask[0, 0].numpy() == case["mask"]).mean() >= 0.999


def test_the_relevance_map_is_the_published_one(replayed, case):
    assert np.abs(replayed.relevance_map[0, 0, ::4, ::4].numpy() - case["relevance"]).max() < 1e-4


def test_the_edited_image_is_the_published_one(replayed, case):
    assert np.abs(replayed.images[0].transpose(2, 0, 1) - case["edited"]).max() < 1e-3


def test_what_the_published_code_left_alone_is_the_input_bit_for_bit(replayed, case):
    outside = ~replayed.guidance_mask[0, 0].numpy()
    original = (case["image"].astype(np.float32) / np.float32(255))[..., None]
    assert (replayed.images[0][outside] == np.broadcast_to(original, (512, 512, 3))[outside]).all()


def test_another_scheduler_on_the_pipeline_changes_nothing(pipe, case, replayed):
    other = InstructX2XPipeline(**{**pipe.components, "scheduler": EulerDiscreteScheduler()})
    other.pseudomasks = pipe.pseudomasks
    other.set_progress_bar_config(disable=True)
    assert np.array_equal(replay(other, case).images, replayed.images)
    assert isinstance(other.scheduler, EulerDiscreteScheduler)


def test_colour_and_grey_input_give_the_same(pipe, case, replayed):
    colour = Image.fromarray(case["image"]).convert("RGB")
    assert np.array_equal(replay(pipe, case, image=colour).images, replayed.images)


# -- other cases, by the published steps written out plainly ----------------------------------------------------------


def published_edit(pipe, image, prompt, masks, steps, tau, noise, relevance_noise, scales=(7.5, 1.5), level=0.8):
    """The published steps on one image `(3, 512, 512)` in [0, 1], one after the other, without this library's parts."""
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=pipe.scheduler.config.prediction_type,
    )
    with torch.no_grad():
        embeds = pipe._encode_prompt(prompt, torch.device("cpu"), 1, True, "")
        mode = pipe.vae.encode(image[None] * 2 - 1).latent_dist.mode()
        conditions = torch.cat([mode, mode, mode * 0])
        clean = mode * pipe.vae.config.scaling_factor
        at = torch.tensor([int(level * 1000)])
        noisy = torch.cat([scheduler.add_noise(clean, relevance_noise, at)] * 3)
        outputs = pipe.unet(torch.cat([noisy, conditions], 1), at.item(), encoder_hidden_states=embeds).sample
    difference = (outputs[0] - outputs[1]).abs().sum(dim=0).numpy()
    first, third = np.percentile(difference, [25, 75], method="midpoint")
    difference = np.clip(difference, 0, third + 1.5 * (third - first))
    latent_map = torch.from_numpy((difference - difference.min()) / (difference.max() - difference.min()))
    pixel_map = F.interpolate(latent_map[None, None], (512, 512), mode="bilinear")[0, 0]
    region = torch.from_numpy(np.maximum.reduce(masks).astype(np.float32))
    latent_region = F.interpolate(region[None, None], (64, 64), mode="bilinear")[0, 0]
    mask, latent_mask = region * pixel_map >= tau, (latent_region * latent_map >= tau).float()
    scheduler.set_timesteps(steps)
    latents = scheduler.add_noise(clean, noise, scheduler.timesteps[0])
    for t in scheduler.timesteps:
        with torch.no_grad():
            model_input = torch.cat([torch.cat([latents] * 3), conditions], 1)
            text, picture, neither = pipe.unet(model_input, t, encoder_hidden_states=embeds).sample.chunk(3)
        predicted = neither + scales[0] * (text - picture) + scales[1] * (picture - neither)
        latents = scheduler.step(predicted, t, latents).prev_sample
        latents = latents * latent_mask + scheduler.add_noise(clean, noise, t) * (1 - latent_mask)
    with torch.no_grad():
        decoded = (pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample[0] / 2 + 0.5).clamp(0, 1)
    return mask, torch.where(mask, decoded, image), pixel_map


def random_case(seed):
    """Ragged masks that meet the 8-pixel grid of the latents at odd places, a colour image, two draws of noise."""
    draws = np.random.default_rng(seed)
    blob = cv2.GaussianBlur(draws.normal(size=(2, 512, 512)).transpose(1, 2, 0), (0, 0), 21).transpose(2, 0, 1)
    coarse = draws.random((32, 32, 3)).astype(np.float32)
    image = torch.from_numpy(cv2.resize(coarse, (512, 512), interpolation=cv2.INTER_CUBIC).clip(0, 1))
    noise = torch.randn(2, 1, 4, 64, 64, generator=seeded(seed))
    return image.permute(2, 0, 1).contiguous(), (blob > 0).astype(np.uint8), noise


@pytest.mark.parametrize(
    ("prompt", "categories", "steps", "tau", "scales", "level"),
    [
        ("Add the finding of pleural effusion.", ["Effusion"], 3, 0.1, (7.5, 1.5), 0.8),
        ("Remove the findings of cardiomegaly and edema.", ["Cardiomegaly", "Edema"], 2, 0.52, (3, 1), 0.57),
        ("Add the finding of left pleural effusion", ["Effusion"], 5, 0.0, (9.0, 2.5), 0.29),
        ("Change the level of cardiomegaly from mild to severe.", ["Cardiomegaly"], 1, 0.9, (1.0, 1.0), 0.8),
    ],
)
def test_other_cases_follow_the_published_steps(pipe, tmp_path, prompt, categories, steps, tau, scales, level):
    image, masks, (noise, relevance_noise) = random_case(steps)
    used = masks[: len(categories)]
    for name, mask in zip(categories, used):
        np.save(tmp_path / f"pseudo_mask_{name}.npy", mask)
    pipe = InstructX2XPipeline(**pipe.components)
    pipe.set_progress_bar_config(disable=True)
    pipe.pseudomasks = tmp_path
    expected = published_edit(pipe, image, prompt, used, steps, tau, noise, relevance_noise, scales, level)
    output = pipe(
        image,
        prompt,
        reference=True,
        num_inference_steps=steps,
        mask_threshold=tau,
        guidance_scale=scales[0],
        image_guidance_scale=scales[1],
        relevance_noise_level=level,
        latents=noise,
        relevance_noise=relevance_noise,
        output_type="pt",
    )
    assert (output.guidance_mask[0, 0] == expected[0]).float().mean() >= 0.999
    assert (output.relevance_map[0, 0] - expected[2]).abs().max() < 1e-4
    both = output.guidance_mask[0, 0] == expected[0]
    assert (output.images[0] - expected[1]).abs()[:, both].max() < 1e-3


def test_free_text_edits_the_whole_image_as_published(pipe, case, caplog):
    output = replay(pipe, case, prompt="make it look older", num_inference_steps=1)
    assert output.pseudomask.min() == 1 and output.instructions[0].region == "image"
    assert "make it look older" in caplog.text
    assert torch.equal(output.guidance_map, output.relevance_map)


def test_published_defaults_are_used_whatever_the_checkpoint_recommends(pipe):
    steps = []
    other = InstructX2XPipeline(**pipe.components, recommended={"num_inference_steps": 7, "guidance_scale": 3.0})
    other.set_progress_bar_config(disable=True)

    def stop(pipe, step, timestep, tensors):
        steps.append((pipe.num_timesteps, pipe.guidance_scale, pipe.image_guidance_scale))
        pipe._interrupt = True
        return tensors

    picture = Image.fromarray((np.indices((64, 64)).sum(0)).astype(np.uint8))
    other(picture, "Add the finding of edema.", reference=True, callback_on_step_end=stop, generator=seeded())
    assert steps == [(100, 7.5, 1.5)]


def test_a_composition_by_difference_contradicts_the_reference(pipe, case):
    with pytest.raises(ValueError, match="`composition` must be left out with `reference=True`"):
        replay(pipe, case, composition="difference")


def test_another_noise_schedule_is_warned_of(pipe, case, caplog):
    other = InstructX2XPipeline(**{**pipe.components, "scheduler": DDIMScheduler(beta_schedule="linear")})
    other.pseudomasks = pipe.pseudomasks
    other.set_progress_bar_config(disable=True)
    replay(other, case, num_inference_steps=1)
    assert caplog.text.count("has another one (linear)") == 1


def test_the_tiny_model_answers_to_text():
    """Else parity of the relevance map would say nothing."""
    unet, latents = make_unet(), torch.randn(1, 8, 16, 16, generator=seeded())
    texts = torch.randn(2, 1, 77, 32, generator=seeded())
    with torch.no_grad():
        first, second = (unet(latents, 500, encoder_hidden_states=text).sample for text in texts)
    assert (first - second).abs().max() > 1e-3
