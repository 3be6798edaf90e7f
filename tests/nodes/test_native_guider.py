"""X2XRegionGuider: two scales, and identical latents outside the mask with every sampler."""

from __future__ import annotations

import pytest
import torch
from comfy_pack import run as run_node
from native_graph import guide, run, schedule, texts
from tiny_models import CELL, NATIVE

pytestmark = pytest.mark.usefixtures("without_gradients")


@pytest.fixture
def mask():
    region = torch.zeros(1, NATIVE, NATIVE)
    region[:, 16:51, 4:30] = 1  # 51 lies within a latent cell, which may change as a whole
    return region


def cells_of(mask):
    return torch.nn.functional.max_pool2d(mask[:, None], CELL) > 0


def two(latent):
    """Return a batch of the latent and its mirror image."""
    return {"samples": torch.cat([latent["samples"], latent["samples"].flip(-1)])}


@pytest.mark.parametrize(
    "sampler", ["euler", "ddim", "euler_ancestral", "heun", "dpmpp_2m", "dpmpp_sde", "uni_pc", "lcm"]
)
def test_outside_the_mask_the_latent_is_the_images(native, latent, mask, sampler):
    edited = run(guide(native, latent, mask), latent, schedule(native[0], "normal"), sampler=sampler)
    outside = ~cells_of(mask).expand_as(edited)
    assert torch.equal(edited[outside], latent["samples"][outside])
    assert (edited - latent["samples"])[~outside].abs().min() > 0


def test_an_empty_latent_can_be_the_start(native, latent, mask):
    """The background comes from the image, whatever latent the sampler starts from."""
    empty = {"samples": torch.zeros_like(latent["samples"])}
    edited = run(guide(native, latent, mask), empty, schedule(native[0]))
    outside = ~cells_of(mask).expand_as(edited)
    assert torch.equal(edited[outside], latent["samples"][outside])


def test_an_empty_mask_gives_the_image_back(native, latent, mask):
    assert torch.equal(run(guide(native, latent, mask * 0), latent, schedule(native[0])), latent["samples"])


@pytest.mark.parametrize("size", [(NATIVE // 2, NATIVE // 2), (3 * NATIVE, 3 * NATIVE), (NATIVE + 3, NATIVE + 2)])
def test_masks_of_other_sizes(native, latent, size):
    mask = torch.zeros(1, *size)
    mask[:, : size[0] // 2] = 1
    edited = run(guide(native, latent, mask), latent, schedule(native[0]))
    changed = (edited != latent["samples"]).all(dim=1)[0]
    rows = NATIVE // CELL // 2  # of a picture of 67 rows VAE Encode leaves the first out: 33 - 1 are 8 cells
    assert changed[:rows].all() and not changed[rows:].any()


def test_each_image_of_a_batch_has_its_own_mask(native, latent, mask):
    masks = torch.cat([mask, 1 - mask])
    edited = run(guide(native, two(latent), masks), two(latent), schedule(native[0]))
    outside = ~cells_of(masks).expand_as(edited)
    assert torch.equal(edited[outside], two(latent)["samples"][outside])


def test_a_batch_is_its_images(native, latent, mask):
    """The first image of a batch has the same noise as a single image."""
    batch = run(guide(native, two(latent), mask), two(latent), schedule(native[0]))
    alone = run(guide(native, latent, mask), latent, schedule(native[0]))
    assert torch.allclose(batch[:1], alone, atol=1e-4)


def test_one_image_can_be_edited_from_several_noises(native, latent, mask):
    both = {"samples": latent["samples"].repeat(2, 1, 1, 1)}
    edited = run(guide(native, latent, mask), both, schedule(native[0]))
    assert (edited[0] - edited[1]).abs().max() > 0.01
    outside = ~cells_of(mask).expand_as(edited)
    assert torch.equal(edited[outside], both["samples"][outside])


def test_a_noise_mask_applies_too(native, latent, mask):
    upper = {**latent, "noise_mask": torch.zeros(1, 1, NATIVE, NATIVE)}
    upper["noise_mask"][:, :, :32] = 1
    edited = run(guide(native, latent, mask), upper, schedule(native[0]))
    kept = ~cells_of(mask).expand_as(edited).clone()
    kept[:, :, 32 // CELL :] = True
    assert (edited - latent["samples"])[kept].abs().max() < 1e-5
    assert (edited - latent["samples"])[~kept].abs().min() > 0


def test_scales_are_instruct_pix2pixs(native, latent, one_thread):
    """Compare a prediction with the published formula, computed from three calls of the model."""
    import comfy.samplers

    model, seen = native[0], {}

    class Look(comfy.samplers.Sampler):
        def sample(self, guider, sigmas, extra_args, callback, noise, latent_image, denoise_mask, disable_pbar):
            x, sigma, options = noise * sigmas[0], sigmas[:1], extra_args["model_options"]
            conds = [guider.conds[name] for name in ("positive", "negative", "unconditional")]
            seen["parts"] = [
                comfy.samplers.calc_cond_batch(guider.inner_model, [one], x, sigma, options)[0] for one in conds
            ]
            seen["guided"] = guider.predict_noise(x, sigma, options)
            return latent_image

    for scales in ((7.5, 1.5), (5.0, 1.0), (0.0, 1.5), (1.0, 1.0)):
        run(guide(native, latent, scales=scales), latent, schedule(model), sampler=Look())
        text, image, neither = seen["parts"]
        expected = neither + scales[0] * (text - image) + scales[1] * (image - neither)
        rounding = 5e-6 * float(expected.abs().max())  # other batch sizes take other kernels, by processor
        assert torch.allclose(seen["guided"], expected, atol=rounding)
    assert (text - image).abs().max() > 1e-3 and (image - neither).abs().max() > 1e-3


@pytest.mark.parametrize(("scales", "items"), [((5.0, 1.5), 3), ((5.0, 1.0), 2), ((0.0, 1.5), 2), ((0.0, 1.0), 1)])
def test_branches_that_cancel_are_skipped(native, latent, mask, scales, items):
    model = native[0].clone()
    seen = []

    def watch(apply, arguments):
        seen.append(len(arguments["input"]))
        return apply(arguments["input"], arguments["timestep"], **arguments["c"])

    model.set_model_unet_function_wrapper(watch)
    run(guide((model, *native[1:]), latent, mask, scales), latent, schedule(model))
    assert sum(seen) == items * 4


def test_hooks_of_a_patched_model_apply(native, latent, mask):
    model, seen = native[0].clone(), []
    model.set_model_sampler_pre_cfg_function(lambda given: seen.append("pre") or given["conds_out"])
    model.set_model_sampler_cfg_function(
        lambda given: seen.append("cfg") or given["uncond"] + given["cond_scale"] * (given["cond"] - given["uncond"])
    )
    model.set_model_sampler_post_cfg_function(lambda given: seen.append("post") or given["denoised"])
    hooked = run(guide((model, *native[1:]), latent, mask), latent, schedule(model))
    assert seen == ["pre", "cfg", "post"] * 4
    plain = run(guide(native, latent, mask), latent, schedule(native[0]))
    assert torch.allclose(hooked, plain, atol=1e-3)


def test_the_instruction_applies_inside_the_mask_only(native, latent, mask):
    """Also with a sampler that does not support masks."""
    import comfy.samplers

    seen = {}

    class Careless(comfy.samplers.Sampler):
        def sample(self, guider, sigmas, extra_args, callback, noise, latent_image, denoise_mask, disable_pbar):
            seen[guider.scales] = guider.predict_noise(noise * sigmas[0], sigmas[:1], extra_args["model_options"])
            return noise

    for scale in (0.0, 5.0):
        edited = run(guide(native, latent, mask, (scale, 1.5)), latent, schedule(native[0]), sampler=Careless())
        outside = ~cells_of(mask).expand_as(edited)
        assert torch.equal(edited[outside], latent["samples"][outside])
    without, guided = seen.values()
    rounding = 1e-6 * float(without.abs().max())  # three branches and two are batches of other sizes
    assert torch.allclose(guided[outside], without[outside], atol=rounding)
    assert (guided - without)[~outside].abs().max() > 1e-3


def test_leftover_noise_stays_for_the_next_sampler(native, latent, mask):
    sigmas = schedule(native[0])
    first = run(guide(native, latent, mask), latent, sigmas[:3])
    assert (first - latent["samples"])[~cells_of(mask).expand_as(first)].abs().max() > 0.1


def test_inputs_are_not_changed(native, latent, mask):
    positive, negative = texts(native[1])
    kept = latent["samples"].clone(), mask.clone(), schedule(native[0])
    sigmas = kept[2].clone()
    guider = run_node(
        "X2XRegionGuider", model=native[0], positive=positive, negative=negative, image_latent=latent,
        guidance_scale=5.0, image_guidance_scale=1.5, guidance_mask=mask,
    )[0]  # fmt: skip
    run(guider, latent, sigmas)
    assert torch.equal(latent["samples"], kept[0]) and torch.equal(mask, kept[1]) and torch.equal(sigmas, kept[2])
    assert "concat_latent_image" not in positive[0][1] and "concat_latent_image" not in negative[0][1]


def test_same_seed_same_latents(native, latent, mask):
    first, second = (run(guide(native, latent, mask), latent, schedule(native[0]), seed=4) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, run(guide(native, latent, mask), latent, schedule(native[0]), seed=5))


def test_cancelling_ends_a_run(native, latent, mask):
    import comfy.model_management as management

    model = native[0].clone()

    def cancel(apply, arguments):
        management.interrupt_current_processing(True)
        management.throw_exception_if_processing_interrupted()

    model.set_model_unet_function_wrapper(cancel)
    with pytest.raises(management.InterruptProcessingException):
        run(guide((model, *native[1:]), latent, mask), latent, schedule(model))
    edited = run(guide(native, latent, mask), latent, schedule(native[0]))  # nothing is left of the cancelled run
    assert torch.isfinite(edited).all()


def test_wrong_inputs_are_rejected(native, latent, mask):
    sigmas = schedule(native[0])
    with pytest.raises(ValueError, match="`image_latent` must have shape"):
        guide(native, {"samples": torch.zeros(1, 16, 8, 8)})
    with pytest.raises(ValueError, match="`latent_image` must have the shape"):
        run(guide(native, latent), {"samples": torch.zeros(1, 4, 8, 8)}, sigmas)
    with pytest.raises(ValueError, match="`guidance_mask` must hold one, or one for each of 1"):
        run(guide(native, latent, mask.repeat(2, 1, 1)), latent, sigmas)
    with pytest.raises(ValueError, match="`image_latent` must hold one, or one for each of 3"):
        run(guide(native, two(latent)), {"samples": latent["samples"].repeat(3, 1, 1, 1)}, sigmas)
    masks = {"guidance_mask": mask.repeat(2, 1, 1), "keep_mask": mask.repeat(3, 1, 1)}
    named = {"model": native[0], **dict(zip(("positive", "negative"), texts(native[1]))), "image_latent": latent}
    with pytest.raises(ValueError, match="`guidance_mask` must hold one, or one for each of 3 images, got 2"):
        run_node("X2XRegionGuider", **named, guidance_scale=1.0, image_guidance_scale=1.0, **masks)
