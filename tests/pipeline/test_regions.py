"""Regions that an edit may change: findings, free text, embeddings, the caller's masks."""

import numpy as np
import pytest
import torch
from edit_cases import BARE, PROMPTS, edit, same
from PIL import Image
from tiny_models import NATIVE, PROMPT, make_radiograph, seeded

from x2x_core import Instruction, PseudomaskAtlas
from x2x_core.anatomy.areas import area_limits
from x2x_core.edit.region import RegionInputs, find_region


def test_the_region_is_the_atlas_s_for_the_instruction(pipe):
    image = Image.fromarray(make_radiograph(60, 90))
    output = edit(pipe, image, align=False, **BARE)
    expected = pipe.pseudomasks.for_instruction(Instruction.parse(PROMPT), (60, 90))
    assert torch.equal(output.pseudomask, expected)
    assert torch.equal(output.guidance_map, output.pseudomask * output.relevance_map)
    assert torch.equal(output.guidance_mask, (output.guidance_map >= 0.1) & (output.pseudomask > 0))
    assert output.instructions == [Instruction.parse(PROMPT)]


def test_each_clause_and_each_of_both_sides_has_a_part(pipe, radiograph):
    def parts(prompt):
        pixels = torch.from_numpy(np.array(radiograph) / 255)[None, None].float()
        inputs = RegionInputs(pixels, (NATIVE, NATIVE), [0], [Instruction.parse(prompt)], copies=2, align=False)
        return find_region(pipe.pseudomasks, inputs).parts

    prompt = "Add the finding of left pneumothorax. Remove the finding of cardiomegaly."
    first, second = parts(prompt)
    assert first.shape == (2, NATIVE, NATIVE) and first.dtype == torch.bool and torch.equal(first, second)
    assert torch.equal(first.any(0), edit(pipe, radiograph, prompt, align=False).pseudomask[0, 0] > 0)
    both = parts("Add the finding of bilateral pleural effusion.")[0]
    assert both.shape[0] == 2 and not (both[0] & both[1]).any() and both.any(2).any(1).all()
    assert parts("make it older") == [None, None]
    own = RegionInputs(None, (4, 4), [0], [Instruction.parse(PROMPT)], pseudomask=torch.ones(1, 1, 4, 4))
    assert find_region(pipe.pseudomasks, own).parts is None


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
    with pytest.raises(ValueError, match=r"`masks` must hold `pseudo_mask_Effusion.npy`"):
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
    assert edit(pipe, radiograph, None, prompt_embeds=embeds, restricted=False).guidance_mask.all()
    assert "do not say where to edit" not in caplog.text
    pseudomask = edit(pipe, radiograph).pseudomask
    bare = {**BARE, "soft_edge": 0.03}  # else by the finding, which embeddings do not name
    output = edit(pipe, radiograph, None, prompt_embeds=embeds, pseudomask=pseudomask, **bare)
    warnings = [record for record in caplog.records if not record.name.endswith("anatomy.alignment")]  # of the lungs
    assert not warnings and same(output.images, edit(pipe, radiograph, **bare).images)


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
