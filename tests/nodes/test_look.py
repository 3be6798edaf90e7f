"""Inspection before an edit: pseudomask, relevance map, guidance map, and their overlays."""

import pytest
import torch
from comfy_pack import pack, run

PROMPT = "Add the finding of moderate right pleural effusion."
RULES = {"mask_rule": "threshold", "threshold": 0.3, "remove_islands": False, "close_holes": False, "soft_edge": 0.0}


def test_the_pseudomask_is_on_the_patients_side(sample):
    right, info, *_ = run("X2XPseudomask", instruction=PROMPT, image=sample, align=True)
    left, _, *_ = run("X2XPseudomask", instruction=PROMPT.replace("right", "left"), image=sample, align=True)
    assert right.shape == (1, 128, 128)
    assert right[..., :64].sum() > 5 * right[..., 64:].sum() and left[..., 64:].sum() > 5 * left[..., :64].sum()
    assert "Fitted to the lungs" in info


def test_without_alignment_the_typical_radiograph_is_taken(sample):
    flat, info, *_ = run("X2XPseudomask", instruction=PROMPT, image=torch.cat([sample, sample.flip(1)]), align=False)
    assert torch.equal(flat[0], flat[1]) and "Fitted" not in info


def test_another_atlas_is_used(sample):
    from x2x_core.pseudomasks.atlas import PseudomaskAtlas

    atlas = PseudomaskAtlas({"Effusion": torch.ones(8, 8)}, published=True)
    instruction = "Add the finding of effusion."
    mask, *_ = run("X2XPseudomask", instruction=instruction, image=sample, align=True, atlas=atlas)
    assert (mask == 1).all()


@pytest.mark.parametrize(
    "prompt", [PROMPT, "Add the finding of bilateral pleural effusion. Add the finding of cardiomegaly."]
)
def test_the_nodes_find_the_edits_own_mask(tiny, sample, prompt):
    pair = torch.cat([sample, sample.roll(9, dims=2)])
    found = tiny.pipe.guidance(
        pair[..., :1].movedim(-1, 1), prompt, generator=[torch.Generator().manual_seed(5) for _ in pair]
    )
    pseudomask, _, places, *_ = run("X2XPseudomask", instruction=prompt, image=pair, align=True)
    relevance, uncertainty = run(
        "X2XRelevanceMap", pipeline=tiny, image=pair, instruction=prompt, noise_level="recommended", draws=0, seed=5
    )
    assert torch.allclose(relevance, found.relevance_map[:, 0], atol=1e-5)
    assert torch.allclose(uncertainty, found.relevance_uncertainty[:, 0], atol=1e-5)
    rules = {**RULES, "mask_rule": "adaptive", "remove_islands": True, "close_holes": True}
    guidance, mask = run("X2XGuidanceMap", pseudomask=pseudomask, relevance=relevance, **rules, places=places)
    assert torch.allclose(guidance, found.guidance_map[:, 0], atol=1e-5)
    assert ((mask > 0) == found.guidance_mask[:, 0]).float().mean() > 0.999


BILATERAL = "Add the finding of bilateral pleural effusion."


@pytest.fixture(scope="module")
def both_sides(sample):
    """Return P and the places of a bilateral finding, and an R that is weak on one side."""
    pseudomask, _, places, *_ = run("X2XPseudomask", instruction=BILATERAL, image=sample, align=True)
    relevance = torch.zeros_like(pseudomask)
    relevance[..., :50] = 1
    row, column = divmod(int(pseudomask[0, :, 64:].argmax()), 64)
    relevance[:, row - 2 : row + 3, column + 62 : column + 67] = 0.5
    return {"pseudomask": pseudomask, "relevance": relevance}, places


def test_places_keep_a_piece_on_each_side(both_sides):
    maps, places = both_sides
    rules = {**RULES, "remove_islands": True}
    _, without = run("X2XGuidanceMap", **maps, **rules, instruction=BILATERAL)
    _, kept = run("X2XGuidanceMap", **maps, **rules, places=places)
    _, larger = run(
        "X2XGuidanceMap", **{name: one.repeat_interleave(2, 1).repeat_interleave(2, 2) for name, one in maps.items()},
        **rules, places=places,
    )  # fmt: skip
    assert without[..., :64].any() and not without[..., 64:].any()
    assert torch.equal(kept[..., :64], without[..., :64]) and kept[..., 64:].any()
    assert larger[..., 128:].any()


def test_places_of_another_instruction_or_batch_are_rejected(both_sides):
    maps, places = both_sides
    with pytest.raises(ValueError, match="`instruction` must be the one that `places` was computed for"):
        run("X2XGuidanceMap", **maps, **RULES, instruction=PROMPT, places=places)
    several = pack("work.regions").Places(places.text, places.parts * 2)
    with pytest.raises(ValueError, match="`places` must be of one image, or of each of the 3 maps"):
        run("X2XGuidanceMap", **{name: one.repeat(3, 1, 1) for name, one in maps.items()}, **RULES, places=several)


@pytest.mark.parametrize("text", ["", " \n", "Add the finding of edema. Remove the finding of edema."])
def test_errors_name_the_input_of_the_node(tiny, sample, text):
    with pytest.raises(ValueError, match=r"^`instruction` must"):
        run("X2XPseudomask", instruction=text, image=sample, align=True)
    with pytest.raises(ValueError, match=r"^`instruction` must"):
        run("X2XRelevanceMap", pipeline=tiny, image=sample, instruction=text, noise_level="0.7", draws=1, seed=0)


def test_warnings_name_nodes_instead_of_commands(sample):
    _, info, *_ = run("X2XPseudomask", instruction=PROMPT, image=torch.zeros_like(sample), align=True)
    assert "Guidance Preview" in info and "x2x masks" not in info


def test_draws_have_an_uncertainty(tiny, sample):
    look = {"pipeline": tiny, "image": sample, "instruction": PROMPT, "noise_level": "0.7", "seed": 0}
    assert not run("X2XRelevanceMap", **look, draws=1)[1].any()
    assert run("X2XRelevanceMap", **look, draws=3)[1].any()


def test_guidance_is_the_product_and_its_mask_the_threshold():
    r = torch.rand(2, 16, 20, generator=torch.Generator().manual_seed(0))
    p = torch.ones(1, 8, 10)  # one, of another size, serves both
    guidance, mask = run("X2XGuidanceMap", pseudomask=p, relevance=r, **RULES)
    assert torch.allclose(guidance, r)
    assert torch.equal(mask, (r >= 0.3).float())


def test_a_soft_edge_stays_inside():
    r = torch.zeros(1, 40, 40)
    r[:, 10:30, 10:30] = 1
    one = torch.ones_like(r)
    _, mask = run("X2XGuidanceMap", pseudomask=one, relevance=r, **{**RULES, "soft_edge": 0.1})
    assert torch.equal(mask > 0, r > 0) and 0 < mask[0, 10, 20] < mask[0, 13, 20] <= 1


def test_an_instruction_limits_the_area():
    r = torch.ones(1, 40, 40)
    _, free = run("X2XGuidanceMap", pseudomask=r, relevance=r * torch.linspace(0.5, 1, 40), **RULES)
    _, held = run("X2XGuidanceMap", pseudomask=r, relevance=r * torch.linspace(0.5, 1, 40), **RULES, instruction=PROMPT)
    assert held.mean() < 0.25 < free.mean()


def test_masks_that_do_not_fit_are_rejected():
    with pytest.raises(ValueError, match="`relevance` must hold one mask"):
        run("X2XGuidanceMap", pseudomask=torch.ones(3, 4, 4), relevance=torch.ones(2, 4, 4), **RULES)


@pytest.mark.parametrize("style", ["colour map", "red"])
def test_the_overlay_shows_map_and_outline(sample, style):
    guidance = torch.zeros(1, 32, 32)
    guidance[:, 16:, :16] = 1
    (plain,) = run("X2XGuidancePreview", image=sample, guidance=torch.zeros(1, 32, 32), style=style)
    (shown,) = run("X2XGuidancePreview", image=sample, guidance=guidance, style=style)
    (outlined,) = run("X2XGuidancePreview", image=sample, guidance=guidance, style=style, guidance_mask=guidance)
    assert plain.shape == shown.shape == outlined.shape and plain.shape[1] == 128
    changed = (shown - plain).abs().amax(-1)[0, :, :128]
    assert changed[80:, 10:54].min() > 0.1 and changed[:50, 80:].max() < 0.02
    yellow = (outlined - shown).abs().amax(-1)[0, :, :128]
    assert yellow[60:68, 10:50].max() > 0.3
    assert (plain.shape[2] > 128) == (style == "colour map")  # the legend


def test_one_image_serves_several_maps(sample):
    (shown,) = run("X2XGuidancePreview", image=sample, guidance=torch.rand(3, 16, 16), style="red")
    assert len(shown) == 3
    with pytest.raises(ValueError, match="`image` must be one, or one for each of the 3 maps"):
        run("X2XGuidancePreview", image=torch.cat([sample] * 2), guidance=torch.rand(3, 16, 16), style="red")


def test_the_pseudomask_previews_the_place_that_an_edit_draws(tiny, sample):
    text = "Add the finding of pneumothorax."
    for seed in range(3):
        pseudomask, info, places, told, _ = run("X2XPseudomask", instruction=text, image=sample, align=True, seed=seed)
        edited = tiny.pipe(sample.movedim(-1, 1), text, generator=seed, num_inference_steps=1)
        assert told == str(edited.instructions[0]) and "(drawn at random)" in info
        assert torch.equal(pseudomask, edited.pseudomask[:, 0]) and places.text == text
    *_, told, _ = run("X2XPseudomask", instruction=text, image=sample, align=True, draw_place=False)
    assert told == text
