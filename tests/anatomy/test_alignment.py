"""Alignment: the frame follows the lungs, falls back to the typical one without lungs, and is recorded."""

import json
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lung_cases import BODIES, dice, noise, radiograph, truth

from x2x_core import Instruction, PseudomaskAtlas
from x2x_core.anatomy import alignment as alignment_module
from x2x_core.anatomy.alignment import Alignment, align_image, fit_frame
from x2x_core.anatomy.frame import Frame
from x2x_core.anatomy.landmarks import TYPICAL_FIELDS
from x2x_core.anatomy.lungs import LungMasks
from x2x_core.edit.region import RegionInputs, find_region
from x2x_core.edit.settings import EditSettings, resolve_settings
from x2x_core.pseudomasks.regions import instruction_region

PROMPT = "Add the finding of moderate left pleural effusion."


@pytest.fixture(scope="module")
def atlas():
    return PseudomaskAtlas.bundled()


def masks(fields):
    """True fields `(2, H, W)` as found ones."""
    right, left = fields.float()[:, None, None]
    return LungMasks(right, left, right, left, torch.ones(1))


def landmarks(frame):
    """Corners of the typical fields in the image."""
    return frame.to_image(torch.tensor([point for side in TYPICAL_FIELDS.values() for point in side]))


def distance(first, second):
    return float((landmarks(first) - landmarks(second)).norm(dim=-1).mean())


def test_the_typical_fields_lie_over_those_found(atlas):
    for body in BODIES:
        alignment = atlas.align(radiograph(body))
        assert alignment.fitted and alignment.confidence > 0.5 and "Fitted" in alignment.note
        corners = landmarks(alignment.frame) * 160
        inside = np.zeros((160, 160), np.uint8)
        for part in corners.split([len(side) for side in TYPICAL_FIELDS.values()]):
            cv2.fillPoly(inside, [part.numpy().round().astype(np.int32)], 1)
        assert dice(torch.from_numpy(inside), truth(body).any(0)) > 0.85


def test_frames_carry_what_the_fit_did_not_see_from_body_to_body():
    frames = [fit_frame(masks(truth(body)))[0] for body in BODIES]
    aligned, plain = [], []
    for first, second in pairwise(BODIES):
        source, goal = (truth(body, "whole").any(0) for body in (first, second))
        axis = (torch.arange(160.0) + 0.5) / 160
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        grid = frames[first].to_image(frames[second].to_frame(torch.stack([x, y], -1)))
        moved = F.grid_sample(source.float()[None, None], grid[None] * 2 - 1, align_corners=False)[0, 0] > 0.5
        aligned.append(dice(moved, goal))
        plain.append(dice(source, goal))
    assert np.mean(aligned) > 0.88 and np.mean(aligned) > np.mean(plain) + 0.1


@pytest.mark.parametrize("padding", [(80, 80, 80, 80), (0, 120, 0, 0), (20, 0, 60, 30)])
def test_a_shifted_and_padded_picture_has_a_shifted_frame(atlas, padding):
    image = radiograph(1)
    left, right, top, bottom = padding
    height, width = 160 + top + bottom, 160 + left + right
    part = Frame.rectangle(left / width, top / height, (left + 160) / width, (top + 160) / height)
    padded = atlas.align(F.pad(image, padding))
    assert padded.fitted and distance(padded.frame, atlas.align(image).frame.within(part)) < 0.015


def test_a_zoomed_and_a_cropped_picture_have_their_frames(atlas):
    image = radiograph(1)
    plain = atlas.align(image).frame
    larger = atlas.align(F.interpolate(image, (300, 300), mode="bicubic").clamp(0, 1)).frame
    assert distance(larger, plain) < 0.015
    whole_in_part = Frame.rectangle(-12 / 136, -10 / 150, (160 - 12) / 136, (160 - 10) / 150)
    cropped = atlas.align(image[..., 10:, 12:148])
    assert cropped.fitted and distance(cropped.frame, plain.within(whole_in_part)) < 0.04


def test_an_inverted_picture_has_the_same_frame(atlas):
    assert distance(atlas.align(1 - radiograph(1)).frame, atlas.align(radiograph(1)).frame) < 0.02


def test_the_fit_follows_one_lung_if_the_other_is_hidden_or_missing():
    fields = truth(1)
    whole = fit_frame(masks(fields))[0]
    for number in range(2):
        rows = fields[number].any(1).nonzero().flatten()
        half, none = fields.clone(), fields.clone()
        half[number, int(rows[len(rows) // 2]) :] = False
        none[number] = False
        assert distance(fit_frame(masks(half))[0], whole) < 0.05
        assert distance(fit_frame(masks(none))[0], whole) < 0.12


def test_a_turned_chest_turns_the_frame():
    angle = np.radians(10)
    turn = torch.tensor([[[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]]], dtype=torch.float32)
    fields = truth(1).float()[None]
    grid = F.affine_grid(turn, fields.shape, align_corners=False)
    turned = F.grid_sample(fields, grid, align_corners=False)[0] > 0.5
    before, after = (np.array(fit_frame(masks(one))[0].matrix) for one in (truth(1), turned))
    tilts = [np.degrees(np.arctan2(m[1, 0] - m[0, 1], m[0, 0] + m[1, 1])) for m in (before, after)]
    assert tilts[1] - tilts[0] == pytest.approx(-10, abs=3.5)


@pytest.mark.parametrize("image", [torch.zeros(1, 1, 40, 40), noise()], ids=["blank", "noise"])
def test_without_lungs_the_frame_is_the_typical_one_with_a_warning(atlas, image, caplog):
    alignment = atlas.align(image)
    assert not alignment.fitted and alignment.frame == Frame() and alignment.confidence < 0.35
    assert "not found with confidence" in caplog.text and "Not fitted" in alignment.note


@pytest.mark.parametrize(
    ("confidence", "warns"), [(0.36, True), (0.74, True), (0.89, True), (0.9, False), (1.0, False)]
)
def test_a_fit_of_low_confidence_is_used_with_a_warning(monkeypatch, caplog, confidence, warns):
    monkeypatch.setattr(alignment_module, "fit_frame", lambda lungs: (Frame(), confidence))
    alignment = align_image(np.random.default_rng(0).random((64, 64), dtype=np.float32))
    assert alignment.fitted and alignment.confidence == confidence
    assert (f"with a confidence of {confidence:.2f} only" in caplog.text) is warns


def test_without_lungs_uniform_borders_are_excluded(atlas):
    alignment = atlas.align(F.pad(noise((60, 60)), (20, 20, 0, 40)))
    assert not alignment.fitted and alignment.frame == Frame.rectangle(0.2, 0, 0.8, 0.6)


def test_empty_masks_fit_nothing():
    assert fit_frame(masks(torch.zeros(2, 50, 50))) == (None, 0.0)


def test_several_radiographs_are_refused_for_alignment(atlas):
    with pytest.raises(ValueError, match="`image` must be one radiograph, got 2"):
        atlas.align(torch.cat([radiograph(0), radiograph(1)]))


def test_alignment_is_repeatable_and_json_holds_it(atlas):
    first, second = (atlas.align(radiograph(2)) for _ in range(2))
    assert first.frame == second.frame and first.confidence == second.confidence
    assert json.loads(json.dumps(first.as_dict()))["fitted"] is True


# -- in the pipeline --------------------------------------------------------------------------------------------------


def look(pipe, image=None, prompt=PROMPT, **arguments):
    image = radiograph(1) if image is None else image
    return pipe.guidance(image, prompt, generator=torch.Generator().manual_seed(0), **arguments)


def test_the_pipeline_lays_the_pseudomask_over_the_patient(pipe):
    found = look(pipe)
    (alignment,) = found.alignments
    assert isinstance(alignment, Alignment) and alignment.fitted
    wanted = pipe.pseudomasks.for_instruction(found.instructions[0], (160, 160), alignment.frame)
    assert (found.pseudomask <= wanted).all()
    assert torch.equal(
        found.pseudomask, instruction_region(pipe.pseudomasks, found.instructions[0], (160, 160), alignment)
    )
    edited = pipe(radiograph(1), PROMPT, num_inference_steps=1, generator=torch.Generator().manual_seed(0))
    assert torch.equal(edited.guidance_mask, found.guidance_mask) and edited.alignments[0].frame == alignment.frame


def test_the_parts_of_a_mask_follow_the_patient(pipe):
    instruction = Instruction.parse("Add the finding of bilateral pleural effusion.")
    region = find_region(pipe.pseudomasks, RegionInputs(radiograph(1), (160, 160), [0], [instruction]))
    (parts,) = region.parts
    assert parts.shape == (2, 160, 160) and not (parts[0] & parts[1]).any()
    assert torch.equal(parts.any(0), region.pseudomask[0, 0] > 0)
    for part, field in zip(parts, truth(1)):
        assert (part & field).sum() > 0.9 * field.sum()


def test_one_picture_is_aligned_once_for_its_prompts(pipe, monkeypatch):
    asked = []
    align = pipe.pseudomasks.align
    monkeypatch.setattr(pipe.pseudomasks, "align", lambda image: asked.append(1) or align(image))
    found = look(pipe, prompt=[PROMPT, "Add the finding of edema."])
    assert len(asked) == 1 and len(found.alignments) == 2
    assert found.alignments[0].frame == found.alignments[1].frame


def test_alignment_can_be_left_off(pipe):
    found = look(pipe, align=False)
    assert found.alignments is None
    assert torch.equal(found.pseudomask, pipe.pseudomasks.for_instruction(found.instructions[0], (160, 160)))


def test_what_follows_no_lungs_is_not_aligned(pipe, tmp_path):
    assert look(pipe, reference=True).alignments is None
    assert look(pipe, pseudomask=torch.ones(160, 160)).alignments is None
    given = pipe(radiograph(1), PROMPT, num_inference_steps=1, guidance_mask=torch.ones(160, 160))
    assert given.alignments is None
    np.save(tmp_path / "pseudo_mask_Effusion.npy", np.ones((512, 512), np.uint8))
    pipe.pseudomasks = tmp_path
    assert look(pipe).alignments is None


def test_free_text_on_a_coloured_picture_has_no_alignment(pipe):
    colour = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    found = look(pipe, image=colour, prompt="make it rain")
    assert found.alignments == [None] and found.pseudomask.min() == 1


def test_the_setting_is_checked():
    assert EditSettings().align and not resolve_settings({}, {}, reference=True).align
    with pytest.raises(ValueError, match="`align` must be left out with `reference=True`"):
        resolve_settings({"align": True}, {}, reference=True)
    with pytest.raises(ValueError, match="`align` must be True or False, got 1"):
        EditSettings(align=1)
