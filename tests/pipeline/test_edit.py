"""The edit: grey stays grey, grain and soft edges, and its strength."""

import cv2
import numpy as np
import pytest
import torch
from edit_cases import BARE, edit
from PIL import Image
from tiny_models import (
    NATIVE,
    make_radiograph,
    seeded,
)


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
    for composition in ("difference", "saturating", "decoded"):
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
