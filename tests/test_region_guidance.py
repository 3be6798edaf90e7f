"""`RegionGuidance`, diffusers' guider form of the method."""

import ast
from collections import Counter
from pathlib import Path

import diffusers
import pytest
import torch
from diffusers import ClassifierFreeGuidance
from tiny_models import seeded

from x2x_core import RegionGuidance
from x2x_core.common.errors import InputError

COND, IMAGE, UNCOND = torch.randn(3, 2, 4, 6, 8, generator=seeded())
MASK = torch.zeros(2, 1, 6, 8, dtype=torch.bool)
MASK[:, :, 1:4, 2:7] = True


def test_inside_it_is_classifier_free_guidance_and_outside_the_prediction_without():
    guided = RegionGuidance(3.0, mask=MASK).forward(COND, UNCOND).pred
    usual = ClassifierFreeGuidance(3.0).forward(COND, UNCOND).pred
    assert torch.equal(guided, torch.where(MASK, usual, UNCOND))
    assert torch.equal(RegionGuidance(3.0).forward(COND, UNCOND).pred, usual)


def test_three_predictions_are_combined_as_in_instruct_pix2pix():
    pred = RegionGuidance(3.0, 1.5, mask=MASK).forward(COND, UNCOND, IMAGE).pred
    outside = UNCOND + 1.5 * (IMAGE - UNCOND)
    assert torch.allclose(pred, torch.where(MASK, outside + 3.0 * (COND - IMAGE), outside), atol=1e-5)


def test_token_sequences_get_the_mask_on_their_own_grid():
    def tokens(values, patch):
        values = values.unflatten(2, (-1, patch)).unflatten(4, (-1, patch))
        return values.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)

    for patch in (1, 2):
        cond, uncond = tokens(COND, patch), tokens(UNCOND, patch)
        pred = RegionGuidance(3.0, mask=MASK).forward(cond, uncond).pred
        touched = tokens(MASK.float(), patch).amax(dim=-1, keepdim=True) > 0
        assert torch.allclose(pred, torch.where(touched, uncond + 3.0 * (cond - uncond), uncond), atol=1e-6)
    with pytest.raises(InputError, match=r"`mask` must have the shape of the grid of 7 tokens, got 6x8"):
        RegionGuidance(mask=MASK).forward(torch.zeros(2, 7, 4), torch.zeros(2, 7, 4))


@pytest.mark.parametrize(("image_scale", "count"), [(None, 2), (1.5, 3)])
def test_it_prepares_one_batch_for_each_prediction_and_one_out_of_range(image_scale, count):
    guider = RegionGuidance(3.0, image_scale, stop=0.5)
    data = {"states": (*(COND, IMAGE, UNCOND)[: count - 1], UNCOND), "shared": COND}
    for step, expected in ((0, count), (3, 1)):
        guider.set_state(step, 4, torch.tensor(0))
        batches = guider.prepare_inputs(data)
        assert len(batches) == guider.num_conditions == expected
        for batch, value in zip(batches, data["states"]):
            batch.noise_pred = value
        assert guider(batches).pred.shape == COND.shape
    assert torch.equal(guider(batches).pred, COND)


def test_it_is_saved_and_read_without_its_mask(tmp_path):
    RegionGuidance(4.0, 1.2, mask=MASK).save_pretrained(tmp_path)
    guider = RegionGuidance.from_pretrained(tmp_path)
    assert (guider.guidance_scale, guider.image_guidance_scale, guider.mask) == (4.0, 1.2, None)


@pytest.mark.parametrize("mask", [torch.ones(6, 8), torch.full((1, 1, 2, 2), 2.0), torch.ones(1, 3, 2, 2)])
def test_other_masks_are_refused(mask):
    with pytest.raises(InputError, match=r"`mask` must be \(B, 1, h, w\) in \[0, 1\]"):
        RegionGuidance(mask=mask)


def test_a_scale_of_the_image_needs_three_predictions():
    said = r"`image_guidance_scale` must be None here: the pipeline prepares `states` for 2 predictions, .* needs 3\.$"
    guider = RegionGuidance(3.0, 1.5)
    with pytest.raises(InputError, match=said):
        guider.prepare_inputs({"states": (COND, UNCOND)})
    with pytest.raises(InputError, match=said):
        guider.prepare_inputs_from_block_state(None, {"states": ("cond", "uncond")})
    RegionGuidance(3.0).prepare_inputs({"states": (COND, UNCOND)})


def test_no_modular_pipeline_of_diffusers_has_three_predictions():
    """The documentation says so; where one has, `image_guidance_scale` has a use there."""
    counts = Counter()
    for file in (Path(diffusers.__file__).parent / "modular_pipelines").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "guider_input" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            inputs = isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
            if inputs and any("guider_input" in getattr(target, "id", "") for target in node.targets):
                counts.update(len(value.elts) for value in node.value.values if isinstance(value, ast.Tuple))
    assert counts[2] > 10 and set(counts) == {2}
