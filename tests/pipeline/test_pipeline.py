"""The pipeline's behaviour on a tiny random model: what changes, what never does, and how it is told."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_models import CELL, NATIVE, PROMPT, make_components, make_pipeline, make_radiograph, make_scheduler, seeded

from x2x_core import Instruction, InstructX2XPipeline, InstructX2XPipelineOutput, PseudomaskAtlas
from x2x_core.anatomy.areas import area_limits
from x2x_core.edit.outputs import InstructX2XGuidanceOutput, InstructX2XRelevanceOutput
from x2x_core.edit.reading import parts_of
from x2x_core.edit.request import EditRequest
from x2x_core.guidance.relevance import relevance_from_disagreement

CELLS = NATIVE // CELL
# The guidance map's level alone, without what tidies the mask.
BARE = {"mask_rule": "threshold", "remove_islands": False, "close_holes": False, "limit_area": False}


def edit(pipe, image, prompt=PROMPT, **arguments):
    return pipe(image, prompt, **{"num_inference_steps": 2, "generator": seeded(), **arguments})


def same(first, second):
    return all(np.array_equal(np.asarray(one), np.asarray(other)) for one, other in zip(first, second, strict=True))


# -- what never changes -----------------------------------------------------------------------------------------------

SIZES = [(64, 64), (200, 130), (40, 90), (17, 23), (64, 8)]


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_outside_the_mask_a_picture_is_the_input_bit_for_bit(pipe, size, reference):
    image = Image.fromarray(make_radiograph(*size)).convert("RGB")
    output = edit(pipe, image, mask_threshold=0.4, reference=reference)
    before, after = np.asarray(image), np.asarray(output.images[0])
    outside = ~output.guidance_mask[0, 0].numpy()
    assert after.shape == before.shape and 0 < outside.mean() < 1
    assert (before[outside] == after[outside]).all()
    assert (before[~outside] != after[~outside]).any()


@pytest.mark.parametrize("steps", [True, False])
@pytest.mark.parametrize("rule", ["threshold", "adaptive"])
def test_outside_the_mask_of_every_rule_a_picture_is_the_input_bit_for_bit(pipe, rule, steps):
    image = make_radiograph(90, 70)
    switches = dict.fromkeys(("remove_islands", "close_holes", "limit_area"), steps)
    output = edit(pipe, image, output_type="np", mask_rule=rule, edit_strength=0.7, **switches)
    mask = output.guidance_mask[0, 0].numpy()
    assert 0 < mask.mean() < 1 and not (output.guidance_mask & (output.pseudomask == 0)).any()
    assert (output.images[0, ..., 0] == image)[~mask].all() and (output.images[0, ..., 0] != image)[mask].any()


@pytest.mark.parametrize("output_type", ["pil", "np", "pt"])
@pytest.mark.parametrize("form", ["L", "RGB", "I;16", "uint8", "uint16", "float32", "float64", "tensor", "signed"])
def test_outside_the_mask_every_form_is_the_input_bit_for_bit(pipe, form, output_type):
    grey = make_radiograph(50, 70)
    forms = {
        "L": Image.fromarray(grey),
        "RGB": Image.fromarray(grey).convert("RGB"),
        "I;16": Image.fromarray(grey.astype(np.uint16) * 200 + 7),
        "uint8": grey,
        "uint16": grey.astype(np.uint16) * 200 + 7,
        "float32": (grey / 255).astype(np.float32),
        "float64": grey / 255 + 1e-12,
        "tensor": torch.rand(1, 1, 50, 70, generator=seeded()),
        "signed": torch.rand(1, 1, 50, 70, generator=seeded()) * 2 - 1,
    }
    image = forms[form]
    output = edit(pipe, image, output_type=output_type)
    everything = edit(pipe, image, output_type=output_type, guidance_mask=torch.zeros(50, 70)).images
    assert len(output.images) == 1
    before, after = np.asarray(everything[0]), np.asarray(output.images[0])
    channels = 0 if output_type == "pt" else -1
    mask = output.guidance_mask[0, 0].numpy()
    mask = mask if before.ndim == 2 else np.broadcast_to(np.expand_dims(mask, channels), before.shape)
    assert (before[~mask] == after[~mask]).all() and (before[mask] != after[mask]).any()
    if form in ("L", "RGB", "I;16") and output_type == "pil":
        assert output.images[0].mode == form and (before == np.asarray(image)).all()


def test_latents_outside_the_mask_are_the_originals(pipe, radiograph):
    mask = torch.zeros(NATIVE, NATIVE)
    mask[10:30, 20:40] = 1
    latents = edit(pipe, radiograph, guidance_mask=mask, output_type="latent").images
    untouched = edit(pipe, radiograph, guidance_mask=mask * 0, output_type="latent").images
    changed = (latents != untouched).any(dim=1)[0]
    assert latents.shape == (1, 4, CELLS, CELLS)
    assert changed[2:8, 5:10].all() and changed.sum() == 6 * 5


def test_nothing_changes_where_the_pseudomask_is_none_whatever_the_threshold(pipe, radiograph):
    pseudomask = torch.zeros(8, 8)
    pseudomask[2:5, 2:5] = 1
    output = edit(pipe, radiograph, pseudomask=pseudomask, mask_threshold=0.0)
    assert torch.equal(output.guidance_mask, output.pseudomask > 0) and not output.guidance_mask.all()
    outside = ~output.guidance_mask[0, 0].numpy()
    assert (np.asarray(radiograph)[outside] == np.asarray(output.images[0])[outside]).all()


def test_the_callers_arrays_are_not_changed(pipe):
    image, mask = make_radiograph() / 255, np.ones((NATIVE, NATIVE), np.float32)
    kept = image.copy(), mask.copy()
    noise = torch.randn(1, 4, CELLS, CELLS, generator=seeded())
    kept_noise = noise.clone()
    edit(pipe, image, guidance_mask=mask, latents=noise, output_type="np")
    assert np.array_equal(image, kept[0]) and np.array_equal(mask, kept[1]) and torch.equal(noise, kept_noise)


# -- the edit ---------------------------------------------------------------------------------------------------------


def test_a_grey_picture_stays_grey_in_colour_too(pipe, radiograph):
    colour = np.asarray(edit(pipe, radiograph.convert("RGB")).images[0])
    assert (colour == colour[..., :1]).all()
    assert np.abs(colour[..., 0].astype(int) - np.asarray(edit(pipe, radiograph).images[0])).max() <= 1


def test_grey_stays_grey_beside_colour(pipe):
    grey = torch.from_numpy(make_radiograph() / 255).float().expand(3, -1, -1)
    tinted = grey * torch.tensor([1.0, 0.8, 0.5])[:, None, None]
    found = edit(pipe, [grey, tinted], output_type="pt", generator=[seeded(0), seeded(1)]).images
    assert (found[0] == found[0, :1]).all() and not torch.equal(found[1, 0] * 0.8, found[1, 1])
    assert torch.allclose(found[0], edit(pipe, grey, output_type="pt").images[0], atol=2e-3)


def test_free_text_in_a_batch_with_restricted_edits_is_held_to_its_relevance(pipe):
    grey = torch.from_numpy(make_radiograph() / 255).float().expand(3, -1, -1)
    colour = torch.rand(3, NATIVE, NATIVE, generator=seeded())
    output = edit(pipe, [grey, colour], ["Add the finding of edema.", "make it snowy"], mask_threshold=0.4, **BARE)
    assert [one.region for one in output.instructions] == ["findings", "image"]
    assert torch.equal(output.guidance_mask[1], output.relevance_map[1] >= 0.4)


def test_the_difference_keeps_the_grain_of_a_large_picture(pipe):
    """Grain of single pixels at four times the model's resolution: no model could redraw it."""
    grain = np.indices((256, 256)).sum(axis=0) % 2 * 2.0 - 1
    smooth = cv2.GaussianBlur(make_radiograph(256, 256) / 255 * 0.5 + 0.25, (0, 0), 2)
    left = {}
    for composition in ("difference", "decoded"):
        output = edit(pipe, smooth + 0.05 * grain, output_type="np", composition=composition, soft_edge=0.0)
        mask = output.guidance_mask[0, 0].numpy()
        assert np.abs(output.images[0, ..., 0] - smooth)[mask].max() > 0.1
        left[composition] = (output.images[0, ..., 0] * grain)[mask].mean() / 0.05
    assert 0.6 < left["difference"] < 1 and abs(left["decoded"]) < 0.1  # it fades with the room that is left, and stays


def test_the_soft_edge_fades_the_edit_towards_the_outline(pipe, radiograph):
    mask = np.zeros((NATIVE, NATIVE), np.float32)
    mask[16:48, 16:48] = 1
    before = np.asarray(radiograph, np.float32) / 255
    hard, soft = (
        edit(pipe, before, guidance_mask=mask, soft_edge=edge, output_type="np").images[0, ..., 0]
        for edge in (0.0, 0.1)
    )
    hard, soft = np.abs(hard - before), np.abs(soft - before)
    assert hard[16, 16:48].mean() > 5 * soft[16, 16:48].mean() > 0
    assert np.allclose(hard[28:36, 28:36], soft[28:36, 28:36], atol=1e-6)


def test_the_strength_goes_from_the_input_to_the_full_edit(pipe):
    image = make_radiograph() / 255
    for composition in ("difference", "decoded"):
        form = {"output_type": "np", "composition": composition}
        edits = [edit(pipe, image, edit_strength=strength, **form).images for strength in (0.25, 0.5, 1.0)]
        weak, half, full = (edited - image[..., None] for edited in edits)
        assert np.array_equal(edits[-1], edit(pipe, image, **form).images)
        assert (np.abs(weak) <= np.abs(half) + 1e-7).all() and (np.abs(half) <= np.abs(full) + 1e-7).all()
        assert np.abs(half).sum() > 1.5 * np.abs(weak).sum() > 0


@pytest.mark.parametrize("form", ["uint8", "uint16", "float64", "I;16"])
def test_no_strength_gives_the_input_bit_for_bit_without_denoising(pipe, form):
    grey = make_radiograph(50, 70)
    deep = grey.astype(np.uint16) * 200 + 7
    image = {"uint8": grey, "uint16": deep, "float64": grey / 255 + 1e-12, "I;16": Image.fromarray(deep)}[form]
    steps = []
    output = edit(
        pipe, image, edit_strength=0, output_type="pil" if form == "I;16" else "np",
        callback_on_step_end=lambda *told: steps.append(told) or {},
    )  # fmt: skip
    found = np.asarray(output.images[0])
    assert np.array_equal(found.reshape(50, 70), np.asarray(image)) and not steps
    assert output.guidance_mask.any() and output.relevance_map.max() > 0


def test_latents_are_interpolated_by_the_strength(pipe, radiograph):
    none, half, full = (
        edit(pipe, radiograph, output_type="latent", edit_strength=strength).images for strength in (0.0, 0.5, 1.0)
    )
    assert torch.equal(full, edit(pipe, radiograph, output_type="latent").images)
    assert torch.allclose(half, (none + full) / 2, atol=1e-5) and not torch.equal(none, full)


def test_settings_change_the_edit(pipe, radiograph):
    base = edit(pipe, radiograph).images
    for changed in (
        {"guidance_scale": 2.0},
        {"image_guidance_scale": 3.0},
        {"num_inference_steps": 3},
        {"composition": "decoded"},
        {"mask_rule": "adaptive", "limit_area": False},
        {"relevance_noise_level": [0.3, 0.8]},
        {"edit_strength": 0.5},
        {"negative_prompt": "edema"},
        {"generator": seeded(1)},
        {"prompt": PROMPT.replace("right", "left")},
    ):
        assert not same(edit(pipe, radiograph, **changed).images, base), changed


def test_recommended_settings_hold_unless_the_call_says_otherwise(pipe, shared_components, radiograph):
    advised = make_pipeline(
        **{**shared_components, "scheduler": make_scheduler()},
        recommended_num_inference_steps=3,
        recommended_guidance_scale=2.0,
        recommended_image_guidance_scale=1.1,
        recommended_mask_threshold=0.3,
        recommended_relevance_noise_level=[0.4, 0.6],
        recommended_relevance_samples=2,
        recommended_mask_rule="threshold",
        recommended_remove_islands=False,
        recommended_close_holes=False,
        recommended_limit_area=False,
    )
    spelt_out = {"num_inference_steps": 3, "guidance_scale": 2.0, "image_guidance_scale": 1.1}
    spelt_out |= {"mask_threshold": 0.3, "relevance_noise_level": (0.4, 0.6), "relevance_samples": 2, **BARE}
    found = advised(radiograph, PROMPT, generator=seeded())
    assert same(found.images, edit(pipe, radiograph, **spelt_out).images)
    usual = {"num_inference_steps": 2, "guidance_scale": 7.5, "image_guidance_scale": 1.5}
    usual |= {"mask_threshold": 0.1, "relevance_noise_level": 0.8, "relevance_samples": 4}
    usual |= dict.fromkeys(("remove_islands", "close_holes", "limit_area"), True)
    assert same(edit(advised, radiograph, **usual).images, edit(pipe, radiograph).images)


def test_the_defaults_are_the_documented_ones(pipe, radiograph):
    output = pipe(radiograph, PROMPT, generator=seeded())
    spelt_out = {"num_inference_steps": 20, "guidance_scale": 7.5, "image_guidance_scale": 1.5, "mask_threshold": 0.1}
    spelt_out |= {"relevance_noise_level": 0.8, "relevance_samples": 4, "composition": "difference", "soft_edge": 0.05}
    spelt_out |= {"mask_rule": "threshold", "remove_islands": True, "close_holes": True, "limit_area": True}
    spelt_out |= {"edit_strength": 1.0}
    assert same(output.images, edit(pipe, radiograph, **spelt_out).images)


# -- seeds and draws --------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(pipe, radiograph):
    first, second = edit(pipe, radiograph), edit(pipe, radiograph)
    assert same(first.images, second.images) and torch.equal(first.relevance_map, second.relevance_map)


def test_looking_first_gives_the_maps_of_the_full_call(pipe, radiograph):
    full = edit(pipe, radiograph, mask_threshold=0.2, relevance_samples=3)
    seen = pipe.guidance(radiograph, PROMPT, mask_threshold=0.2, relevance_samples=3, generator=seeded())
    alone = pipe.relevance(radiograph, PROMPT, relevance_samples=3, generator=seeded())
    assert isinstance(seen, InstructX2XGuidanceOutput) and isinstance(alone, InstructX2XRelevanceOutput)
    for name in ("relevance_map", "pseudomask", "guidance_map", "guidance_mask"):
        assert torch.equal(getattr(full, name), getattr(seen, name))
    assert torch.equal(full.relevance_map, alone.relevance_map) and full.instructions == seen.instructions
    assert alone.latent_relevance_map.shape == (1, 1, CELLS, CELLS)


@pytest.mark.parametrize("scheduler", ["DDIMScheduler", "EulerAncestralDiscreteScheduler"])
def test_a_mask_handed_back_gives_the_same_edit(pipe, scheduler):
    import diffusers

    pipe.scheduler = getattr(diffusers, scheduler).from_config(pipe.scheduler.config)
    image = Image.fromarray(make_radiograph(100, 80))
    full = edit(pipe, image, mask_threshold=0.3, eta=0.5)
    mask = pipe.guidance(image, PROMPT, mask_threshold=0.3, generator=seeded()).guidance_mask
    again = edit(pipe, image, guidance_mask=mask, eta=0.5)
    assert same(full.images, again.images) and torch.equal(again.guidance_mask, full.guidance_mask)
    assert again.relevance_map is None and again.pseudomask is None
    assert torch.equal(again.guidance_map, mask.float())


def test_given_noise_is_used(pipe, radiograph):
    noise, other = torch.randn(2, 1, 4, CELLS, CELLS, generator=seeded(5))
    first = edit(pipe, radiograph, latents=noise, relevance_noise=other, generator=seeded(1))
    second = edit(pipe, radiograph, latents=noise, relevance_noise=other, generator=seeded(2))
    assert same(first.images, second.images) and torch.equal(first.relevance_map, second.relevance_map)
    third = edit(pipe, radiograph, latents=other, relevance_noise=noise)
    assert not torch.equal(first.relevance_map, third.relevance_map)
    several = torch.stack([noise, other], dim=1)
    averaged = pipe.relevance(radiograph, PROMPT, relevance_noise=several).latent_relevance_map
    assert not torch.allclose(averaged, pipe.relevance(radiograph, PROMPT, relevance_noise=noise).latent_relevance_map)


def test_several_noise_levels_are_each_read_at_their_own_and_averaged(pipe, radiograph):
    noise = torch.randn(1, 2, 4, CELLS, CELLS, generator=seeded(5))
    look = {"relevance_noise": noise, "relevance_noise_level": [0.3, 0.8]}
    found = pipe.relevance(radiograph, PROMPT, **look).latent_relevance_map
    own = [
        pipe.relevance(radiograph, PROMPT, relevance_noise=some, relevance_noise_level=level).latent_relevance_map
        for some, level in ((noise[:, 0], 0.3), (noise[:, 1], 0.8))
    ]
    expected, _ = relevance_from_disagreement(torch.stack(own).mean(dim=0))
    assert torch.allclose(found, expected, atol=1e-4) and not torch.allclose(found, own[1], atol=1e-2)


def test_a_list_of_one_level_is_that_level(pipe, radiograph):
    one, listed = (edit(pipe, radiograph, relevance_noise_level=level) for level in (0.6, [0.6]))
    assert same(one.images, listed.images) and torch.equal(one.relevance_map, listed.relevance_map)


def test_levels_have_noise_of_their_own_drawn_after_the_diffusion_noise(pipe, radiograph):
    generator = seeded(3)
    noise = torch.randn(1, 4, CELLS, CELLS, generator=generator)
    relevance_noise = torch.randn(1, 4, 4, CELLS, CELLS, generator=generator)
    arguments = {"relevance_noise_level": [0.3, 0.8], "relevance_samples": 2}
    drawn = edit(pipe, radiograph, generator=seeded(3), **arguments)
    given = edit(pipe, radiograph, latents=noise, relevance_noise=relevance_noise, **arguments)
    assert same(drawn.images, given.images) and torch.equal(drawn.relevance_map, given.relevance_map)


def test_one_given_draw_serves_every_level(pipe, radiograph):
    noise = torch.randn(1, 4, CELLS, CELLS, generator=seeded(5))
    levels = {"relevance_noise_level": [0.3, 0.8]}
    once = pipe.relevance(radiograph, PROMPT, relevance_noise=noise, **levels)
    twice = pipe.relevance(radiograph, PROMPT, relevance_noise=torch.stack([noise, noise], dim=1), **levels)
    assert torch.equal(once.relevance_map, twice.relevance_map)


def test_the_uncertainty_of_the_relevance_is_given_where_there_are_several_draws(pipe):
    image = make_radiograph(33, 47)
    output = edit(pipe, image, relevance_samples=2)
    found = output.relevance_uncertainty
    assert found.shape == (1, 1, 33, 47) and found.dtype == torch.float32
    assert found.min() >= 0 and 0 < found.max() <= 1
    for look in (pipe.guidance, pipe.relevance):
        assert torch.equal(look(image, PROMPT, relevance_samples=2, generator=seeded()).relevance_uncertainty, found)
    levels = pipe.relevance(image, PROMPT, relevance_samples=1, relevance_noise_level=[0.5, 0.8])
    assert levels.relevance_uncertainty.max() > 0
    assert edit(pipe, image, relevance_samples=1).relevance_uncertainty is None
    assert edit(pipe, image, reference=True).relevance_uncertainty is None
    assert edit(pipe, image, guidance_mask=np.ones((33, 47))).relevance_uncertainty is None


def test_given_latents_do_not_change_the_relevance_map_of_a_seed(pipe, radiograph):
    noise = torch.randn(1, 4, CELLS, CELLS, generator=seeded(5))
    assert torch.equal(edit(pipe, radiograph, latents=noise).relevance_map, edit(pipe, radiograph).relevance_map)


def test_the_global_generator_is_drawn_from_only_where_none_is_given(pipe, radiograph):
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    edit(pipe, radiograph)
    assert torch.equal(torch.random.get_rng_state(), state)
    edit(pipe, radiograph, generator=None)
    assert not torch.equal(torch.random.get_rng_state(), state)


# -- batches ----------------------------------------------------------------------------------------------------------

PROMPTS = [PROMPT, "Remove the finding of cardiomegaly.", "Add the finding of left pneumothorax."]


def generators(count, start=0):
    return [seeded(start + number) for number in range(count)]


def alone(pipe, pictures, prompts, **arguments):
    """The same, one by one, each with its own generator: all maps and pictures."""
    outputs = [
        edit(pipe, picture, prompt, generator=seeded(number), output_type="pt", **arguments)
        for number, (picture, prompt) in enumerate(zip(pictures, prompts, strict=True))
    ]
    return [torch.cat([getattr(one, name) for one in outputs]) for name in ("images", "relevance_map", "pseudomask")]


@pytest.mark.parametrize(("images", "prompts"), [(1, 3), (3, 1), (3, 3)])
def test_a_batch_is_its_single_calls(pipe, images, prompts):
    pictures = [Image.fromarray(make_radiograph(40, 52, seed)) for seed in range(images)]
    words = PROMPTS[:prompts]
    output = edit(pipe, pictures, words if prompts > 1 else words[0], generator=generators(3), output_type="pt")
    singles = alone(pipe, pictures * (3 // images), words * (3 // prompts))
    for found, expected in zip((output.images, output.relevance_map, output.pseudomask), singles):
        assert found.shape == expected.shape and torch.allclose(found, expected, atol=2e-3)
    assert [one.text for one in output.instructions] == words * (3 // prompts)


def test_several_edits_of_each_pair_stand_together(pipe):
    pictures = [Image.fromarray(make_radiograph(40, 52, seed)) for seed in range(2)]
    output = edit(
        pipe, pictures, PROMPTS[:2], num_images_per_prompt=2, generator=generators(4), output_type="pt",
        negative_prompt=["edema", "hernia"],
    )  # fmt: skip
    assert output.guidance_mask.shape == (4, 1, 40, 52) and len(output.instructions) == 2
    negative = ["edema", "edema", "hernia", "hernia"]
    for number in range(4):
        one = edit(
            pipe, pictures[number // 2], PROMPTS[number // 2], generator=seeded(number), output_type="pt",
            negative_prompt=negative[number],
        )  # fmt: skip
        assert torch.allclose(output.images[number], one.images[0], atol=2e-3)


def test_draws_in_several_calls_give_the_same_map(pipe, radiograph, monkeypatch):
    whole = pipe.relevance(radiograph, PROMPT, relevance_samples=5, generator=seeded()).relevance_map
    monkeypatch.setattr("x2x_core.edit.looking.RELEVANCE_BATCH", 4)
    parts = pipe.relevance(radiograph, PROMPT, relevance_samples=5, generator=seeded()).relevance_map
    assert torch.allclose(whole, parts, atol=1e-4)


def test_no_call_is_larger_than_allowed_and_levels_share_calls(pipe, radiograph, monkeypatch):
    arguments = {"relevance_samples": 3, "relevance_noise_level": [0.3, 0.6]}
    whole = pipe.relevance(radiograph, PROMPTS, generator=generators(3), **arguments).relevance_map
    monkeypatch.setattr("x2x_core.edit.looking.RELEVANCE_BATCH", 12)
    calls, forward = [], pipe.unet.forward
    monkeypatch.setattr(pipe.unet, "forward", lambda *given, **more: calls.append(given) or forward(*given, **more))
    parts = pipe.relevance(radiograph, PROMPTS, generator=generators(3), **arguments).relevance_map
    assert torch.allclose(whole, parts, atol=1e-4)
    assert [len(noisy) for noisy, _ in calls] == [12, 12, 12]
    assert [set(timesteps.tolist()) for _, timesteps in calls] == [{300}, {300, 600}, {600}]


def test_masks_are_given_for_all_for_each_pair_or_for_each_output(pipe, radiograph):
    masks = torch.zeros(4, 1, NATIVE, NATIVE)
    for number in range(4):
        masks[number, :, 8 * number : 8 * number + 8] = 1
    arguments = {"prompt": PROMPTS[:2], "num_images_per_prompt": 2}
    for mask, expected in ((masks[:1], [0, 0, 0, 0]), (masks[:2], [0, 0, 1, 1]), (masks, [0, 1, 2, 3])):
        assert torch.equal(edit(pipe, radiograph, guidance_mask=mask, **arguments).guidance_mask, masks[expected] > 0)
        assert torch.equal(edit(pipe, radiograph, pseudomask=mask, **arguments).pseudomask, masks[expected])


# -- regions ----------------------------------------------------------------------------------------------------------


def test_the_region_is_the_atlas_s_for_the_instruction(pipe):
    image = Image.fromarray(make_radiograph(60, 90))
    output = edit(pipe, image, align=False, **BARE)
    expected = pipe.pseudomasks.for_instruction(Instruction.parse(PROMPT), (60, 90))
    assert torch.equal(output.pseudomask, expected)
    assert torch.equal(output.guidance_map, output.pseudomask * output.relevance_map)
    assert torch.equal(output.guidance_mask, (output.guidance_map >= 0.1) & (output.pseudomask > 0))
    assert output.instructions == [Instruction.parse(PROMPT)]


def test_each_clause_and_each_of_both_sides_has_a_part(pipe, radiograph):
    def parts(prompt, **arguments):
        request = EditRequest(radiograph, prompt, num_images_per_prompt=2, **arguments)
        return parts_of(request, pipe._read(request, False), pipe.pseudomasks)

    prompt = "Add the finding of left pneumothorax. Remove the finding of cardiomegaly."
    first, again = parts(prompt)
    assert first.shape == (2, NATIVE, NATIVE) and first.dtype == torch.bool and torch.equal(first, again)
    assert torch.equal(first.any(0), edit(pipe, radiograph, prompt, align=False).pseudomask[0, 0] > 0)
    both = parts("Add the finding of bilateral pleural effusion.")[0]
    assert both.shape[0] == 2 and not (both[0] & both[1]).any() and both.any(2).any(1).all()
    assert parts("make it older") == [None, None]
    assert parts(PROMPT, pseudomask=np.ones((4, 4))) == [None, None]


def test_a_mask_is_held_to_the_area_that_its_finding_can_have(pipe, radiograph):
    free = pipe.guidance(radiograph, PROMPT, mask_threshold=0.0, limit_area=False, generator=seeded())
    held = pipe.guidance(radiograph, PROMPT, mask_threshold=0.0, generator=seeded())
    expected = area_limits(held.instructions[0])
    assert torch.equal(free.guidance_mask, free.pseudomask > 0)
    assert expected.lowest <= held.guidance_mask.float().mean() <= expected.highest < free.guidance_mask.float().mean()


def test_another_atlas_gives_another_region(pipe, radiograph):
    pipe.pseudomasks = PseudomaskAtlas({"Effusion": torch.ones(4, 4)}, published=True)
    assert edit(pipe, radiograph, "Add the finding of pleural effusion.").pseudomask.min() == 1


def test_a_missing_published_mask_is_an_error_before_any_denoising(pipe, radiograph):
    pipe.pseudomasks = PseudomaskAtlas({"Edema": torch.ones(4, 4)}, published=True, source="masks")
    with pytest.raises(ValueError, match="`masks` must hold `pseudo_mask_Effusion.npy`"):
        edit(pipe, radiograph)


@pytest.mark.parametrize(
    "pseudomask",
    [
        np.ones((5, 5), np.uint8),
        torch.ones(1, 1, 20, 30),
        Image.new("L", (90, 60), 255),
        np.full((60, 90), 255, np.uint8),
        np.ones((60, 90)),
    ],
)
def test_a_pseudomask_in_any_form_takes_the_atlas_s_place(pipe, pseudomask):
    output = edit(pipe, Image.fromarray(make_radiograph(60, 90)), pseudomask=pseudomask)
    assert output.pseudomask.shape == (1, 1, 60, 90) and output.pseudomask.min() == 1
    assert torch.equal(output.guidance_map, output.relevance_map)


def test_free_text_edits_the_thorax_of_a_radiograph(pipe, radiograph, caplog):
    output = edit(pipe, radiograph, "make the patient look older")
    assert output.instructions[0].region == "thorax" and "make the patient look older" in caplog.text
    assert 0 < output.guidance_mask.float().mean() < 1 and output.pseudomask[..., 0, 0] == 0


def test_free_text_edits_other_pictures_without_restriction(pipe):
    colour = torch.rand(1, 3, NATIVE, NATIVE, generator=seeded())
    output = edit(pipe, colour, "make it snowy", output_type="pt")
    assert output.instructions[0].region == "image" and output.guidance_mask.all()
    assert output.guidance_map.min() == 1 and output.relevance_map is None


def test_looking_at_free_text_on_other_pictures_gives_a_map_to_hand_back(pipe):
    colour = torch.rand(1, 3, NATIVE, NATIVE, generator=seeded())
    seen = pipe.guidance(colour, "make it snowy", mask_threshold=0.5, generator=seeded())
    assert 0 < seen.guidance_mask.float().mean() < 1 and torch.equal(seen.guidance_map, seen.relevance_map)
    output = edit(pipe, colour, "make it snowy", guidance_mask=seen.guidance_mask, output_type="pt")
    outside = ~seen.guidance_mask.expand(-1, 3, -1, -1)
    assert torch.equal(output.images[outside], colour[outside])


def test_a_finding_is_edited_in_its_region_on_a_coloured_radiograph_too(pipe):
    tinted = torch.from_numpy(make_radiograph() / 255).float() * torch.tensor([1.0, 0.8, 0.5])[:, None, None]
    output = edit(pipe, tinted, output_type="pt")
    assert output.instructions[0].region == "findings" and not output.guidance_mask.all()
    outside = ~output.guidance_mask[0, 0]
    assert torch.equal(output.images[0][:, outside], tinted[:, outside])


def test_embeddings_count_as_free_text_unless_a_region_is_given(pipe, radiograph, caplog):
    embeds = pipe._encode_prompt(PROMPT, torch.device("cpu"), 1, False)
    output = edit(pipe, radiograph, None, prompt_embeds=embeds)
    assert output.instructions[0].region == "thorax" and "do not say where to edit" in caplog.text
    caplog.clear()
    pseudomask = edit(pipe, radiograph).pseudomask
    bare = {**BARE, "soft_edge": 0.03}  # else by the finding, which embeddings do not name
    output = edit(pipe, radiograph, None, prompt_embeds=embeds, pseudomask=pseudomask, **bare)
    assert not caplog.text and same(output.images, edit(pipe, radiograph, **bare).images)


def test_embeddings_are_paired_like_prompts(pipe):
    pictures = [Image.fromarray(make_radiograph(seed=seed)) for seed in range(2)]
    embeds = pipe._encode_prompt(PROMPTS[:2], torch.device("cpu"), 1, False)
    negative = pipe._encode_prompt(["edema", "hernia"], torch.device("cpu"), 1, False)
    masks = torch.ones(NATIVE, NATIVE)
    found = edit(
        pipe, pictures, None, prompt_embeds=embeds, negative_prompt_embeds=negative, guidance_mask=masks,
        num_images_per_prompt=2,
    )  # fmt: skip
    expected = edit(
        pipe, pictures, PROMPTS[:2], negative_prompt=["edema", "hernia"], guidance_mask=masks, num_images_per_prompt=2
    )
    assert same(found.images, expected.images)


# -- geometry ---------------------------------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(height=st.integers(3, 150), width=st.integers(3, 150))
def test_every_size_comes_back(height, width):
    pipe = every_size_pipe()
    image = make_radiograph(height, width)
    output = edit(pipe, image, "Add the finding of edema.", output_type="np", num_inference_steps=1)
    assert output.images.shape == (1, height, width, 1)
    assert output.relevance_map.shape == output.guidance_mask.shape == (1, 1, height, width)
    assert output.guidance_map.min() >= 0 and output.guidance_map.max() <= 1


def every_size_pipe(made=[]):
    if not made:
        made.append(make_pipeline())
    return made[0]


def test_the_model_works_at_its_own_resolution(pipe, monkeypatch):
    seen = []
    encode = pipe.vae.encode
    monkeypatch.setattr(pipe.vae, "encode", lambda pixels: seen.append(tuple(pixels.shape)) or encode(pixels))
    for size in ((300, 200), (20, 30), (64, 64)):
        edit(pipe, Image.fromarray(make_radiograph(*size)))
    assert seen == [(1, 3, NATIVE, NATIVE)] * 3


def test_one_encoding_serves_every_use(pipe, radiograph, monkeypatch):
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
    from tiny_models import make_vae

    pipe = make_pipeline(**{**shared_components, "vae": make_vae(channels=1)})
    for picture in (radiograph, radiograph.convert("RGB")):
        output = edit(pipe, picture)
        outside = ~output.guidance_mask[0, 0].numpy()
        assert output.images[0].mode == picture.mode
        assert (np.asarray(output.images[0])[outside] == np.asarray(picture)[outside]).all()


# -- degenerate -------------------------------------------------------------------------------------------------------


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


# -- output -----------------------------------------------------------------------------------------------------------


def test_the_output_has_names_and_as_a_tuple_every_place(pipe, radiograph):
    named, plain = edit(pipe, radiograph), edit(pipe, radiograph, return_dict=False)
    assert isinstance(named, InstructX2XPipelineOutput) and isinstance(plain, tuple) and len(plain) == 9
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


def test_a_checkpoint_can_ask_for_the_canonical_words(shared_components, radiograph):
    from tiny_models import make_pipeline, make_scheduler

    def edited(prompt, canonical):
        pipe = make_pipeline(**{**shared_components, "scheduler": make_scheduler()}, canonical_prompts=canonical)
        generator = torch.Generator().manual_seed(0)
        return pipe(radiograph, prompt, num_inference_steps=2, generator=generator, output_type="pt").images

    canonical, other = "Add the finding of left pleural effusion.", "put some fluid on the left"
    assert torch.equal(edited(canonical, True), edited(other, True))
    assert not torch.equal(edited(canonical, False), edited(other, False))


def test_a_finding_that_the_checkpoint_was_not_trained_on_is_said(shared_components, radiograph, caplog):
    def warnings(prompt, trained):
        caplog.clear()
        pipe = make_pipeline(**{**shared_components, "scheduler": make_scheduler()}, trained_findings=trained)
        with caplog.at_level("WARNING", logger="x2x_core"):
            pipe.guidance(radiograph, prompt, generator=torch.Generator().manual_seed(0))
        return [record.getMessage() for record in caplog.records if "not trained on" in record.getMessage()]

    (said,) = warnings("Add the findings of hernia and edema.", "edema, pneumothorax")
    assert "not trained on hernia:" in said and "edema, pneumothorax" in said
    assert not warnings("Add the finding of edema.", "edema")
    assert not warnings("Add the finding of hernia.", None)


def test_what_a_checkpoint_was_trained_on_is_saved_with_it(shared_components, tmp_path):
    pipe = make_pipeline(**{**shared_components, "scheduler": make_scheduler()}, trained_findings="edema")
    pipe.save_pretrained(tmp_path)
    assert InstructX2XPipeline.from_pretrained(tmp_path).config.trained_findings == "edema"
