"""Guidance scales by finding: which one an instruction gets, and that each edit of a batch uses its own."""

import pytest
import torch
from tiny_models import make_pipeline, make_radiograph, seeded

from x2x_core import InstructX2XPipeline
from x2x_core.edit.settings import EditSettings, resolve_settings, scale_in_words
from x2x_core.language.instruction import Instruction

EFFUSION, AIR = "Add the finding of large right pleural effusion.", "Add the finding of large right pneumothorax."
SCALES = {"pneumothorax": 6.0, "edema": 1.0, "other": 3.0}


def edit(pipe, prompts, copies=1, **more):
    count = len(prompts)
    return pipe(
        [make_radiograph() / 255] * count, prompts, num_inference_steps=2, image_guidance_scale=1.0,
        num_images_per_prompt=copies, generator=[seeded(n) for n in range(count * copies)], output_type="pt", **more,
    ).images  # fmt: skip


def scale(text):
    return EditSettings(guidance_scale=SCALES).guidance_scale_for(Instruction.parse(text))


def test_the_scale_is_the_lowest_of_the_findings_scales():
    assert (scale(AIR), scale(EFFUSION), scale("Make it brighter.")) == (6.0, 3.0, 3.0)
    both = [Instruction.parse(one).clauses for one in (AIR, EFFUSION)]
    assert EditSettings(guidance_scale=SCALES).guidance_scale_for(Instruction(clauses=both[0] + both[1])) == 3.0
    assert EditSettings(guidance_scale=2.0).guidance_scale_for(Instruction.parse(AIR)) == 2.0


def test_removals_have_a_scale_of_their_own():
    removing = EditSettings(guidance_scale={**SCALES, "removal": 1.5})
    for text, expected in [
        ("Remove the finding of right pneumothorax.", 1.5),
        ("Remove the finding of edema.", 1.5),
        (AIR, 6.0),
        ("Change the level of right pneumothorax from large to small.", 6.0),
        ("Remove the finding of right pneumothorax. Add the finding of edema.", 1.0),
        ("Make it brighter.", 3.0),
    ]:
        assert removing.guidance_scale_for(Instruction.parse(text)) == expected, text
    assert scale("Remove the finding of right pneumothorax.") == 6.0


@pytest.mark.parametrize("copies", [1, 2])
def test_each_edit_of_a_batch_has_its_own(copies):
    pipe = make_pipeline()
    strong, weak = (edit(pipe, [AIR, EFFUSION], copies, guidance_scale=one) for one in (6.0, 3.0))
    assert not torch.equal(strong, weak)
    mixed = edit(pipe, [AIR, EFFUSION], copies, guidance_scale=SCALES)
    assert torch.allclose(mixed, torch.cat([strong[:copies], weak[copies:]]), atol=1e-5)
    assert pipe.guidance_scale == 6.0


def test_a_scale_by_finding_equals_the_number_for_a_single_finding():
    pipe = make_pipeline()
    assert torch.equal(edit(pipe, [AIR], guidance_scale=SCALES), edit(pipe, [AIR], guidance_scale=6.0))


@pytest.mark.parametrize("scales", [(1.0, 3.0), (1.0, 0.5)])
def test_an_edit_at_a_scale_of_one_is_guided_among_others(scales):
    """Alone it would need no guidance at all."""
    pipe = make_pipeline()
    by_finding = {"pneumothorax": scales[0], "other": scales[1]}
    mixed = edit(pipe, [AIR, EFFUSION], guidance_scale=by_finding)
    each = [edit(pipe, [AIR, EFFUSION], guidance_scale=one)[number] for number, one in enumerate(scales)]
    assert torch.allclose(mixed, torch.stack(each), atol=1e-5)


def test_a_checkpoint_recommends_them_and_a_call_goes_before(tmp_path):
    pipe = InstructX2XPipeline(**make_pipeline().components, recommended={"guidance_scale": SCALES})
    pipe.save_pretrained(tmp_path)
    loaded = InstructX2XPipeline.from_pretrained(tmp_path)
    assert resolve_settings({}, loaded.config).guidance_scale == SCALES
    assert resolve_settings({"guidance_scale": 2.0}, loaded.config).guidance_scale == 2.0
    assert resolve_settings({}, loaded.config, reference=True).guidance_scale == 7.5


def test_settled_settings_have_the_numbers_of_the_instruction():
    settled = EditSettings(guidance_scale=SCALES).settled(Instruction.parse(EFFUSION))
    assert (settled.guidance_scale, settled.soft_edge) == (3.0, 0.05)


def test_scales_in_words():
    assert scale_in_words(0.8) == "0.8"
    assert scale_in_words(SCALES) == "6 for pneumothorax, 1 for edema, else 3"
    assert scale_in_words({"removal": 1.5, "other": 3.0}) == "1.5 for removals, else 3"


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        (
            {"pneumothorax": 1.2},
            "`guidance_scale` must be a number, or a number for each of some findings and for 'other'",
        ),
        ({"airthorax": 1.2, "other": 1.0}, "got 'airthorax', 'other'. Name findings as"),
        ({}, "got nothing"),
        ({"edema": "1", "other": 1.0}, r"`guidance_scale\['edema'\]` must be a finite number, got '1'"),
    ],
)
def test_bad_scales_are_refused(scales, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        EditSettings(guidance_scale=scales)
