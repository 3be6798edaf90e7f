"""`keep_mask`: what must stay as it is stays, in every kind of edit."""

import numpy as np
import pytest
import torch
from edit_cases import PROMPTS, edit
from PIL import Image
from tiny_models import NATIVE, PROMPT, make_radiograph, seeded

from x2x_core.common.errors import InputError

KEPT = np.zeros((NATIVE, NATIVE), bool)
KEPT[20:44, 8:40] = True


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"reference": True, "mask_threshold": 0.0},
        {"guidance_mask": torch.ones(1, 1, NATIVE, NATIVE)},
        {"pseudomask": torch.ones(NATIVE, NATIVE), "mask_threshold": 0.0},
        {"prompt": "brighter, please", "twin": True, "composition": "difference"},
        {"padding_mask_crop": 4},
    ],
)
def test_kept_pixels_stay_bit_for_bit_and_are_no_part_of_the_mask(pipe, arguments):
    before = make_radiograph()
    free, kept = (edit(pipe, before, output_type="np", **arguments, **more) for more in ({}, {"keep_mask": KEPT}))
    assert (free.guidance_mask[0, 0].numpy() & KEPT).any()
    assert not (kept.guidance_mask[0, 0].numpy() & KEPT).any() and kept.guidance_mask.any()
    after = kept.images[0].reshape(NATIVE, NATIVE, -1)
    assert (after == before[..., None])[KEPT].all() and (after != before[..., None]).any()


def test_the_guidance_map_is_that_of_the_edit_and_the_relevance_map_does_not_depend_on_it(pipe, radiograph):
    kept = edit(pipe, radiograph, keep_mask=KEPT)
    looked = pipe.guidance(radiograph, PROMPT, keep_mask=KEPT, generator=seeded())
    assert torch.equal(looked.guidance_mask, kept.guidance_mask) and torch.equal(looked.guidance_map, kept.guidance_map)
    assert (kept.pseudomask[0, 0].numpy()[KEPT] == 0).all() and (kept.guidance_map[0, 0].numpy()[KEPT] == 0).all()
    without = pipe.relevance(radiograph, PROMPT, generator=seeded()).relevance_map
    assert torch.equal(pipe.relevance(radiograph, PROMPT, keep_mask=KEPT, generator=seeded()).relevance_map, without)


def test_each_picture_can_have_its_own(pipe):
    pictures = [Image.fromarray(make_radiograph(seed=seed)) for seed in range(2)]
    masks = np.stack([KEPT, np.zeros_like(KEPT)])
    output = edit(pipe, pictures, PROMPTS[:2], keep_mask=masks, generator=[0, 1])
    first, second = output.guidance_mask[:, 0].numpy()
    assert not (first & KEPT).any() and (second & KEPT).any()


def test_any_value_above_0_keeps_a_pixel(pipe, radiograph):
    faint = edit(pipe, radiograph, keep_mask=KEPT.astype(np.uint8) * 3)
    assert torch.equal(faint.guidance_mask, edit(pipe, radiograph, keep_mask=KEPT).guidance_mask)


def test_what_does_not_fit_is_refused(pipe, radiograph):
    with pytest.raises(InputError, match=r"`keep_mask` must be of the image's size, 64x64 .* got 8x8"):
        edit(pipe, radiograph, keep_mask=np.ones((8, 8)))
    with pytest.raises(InputError, match=r"`keep_mask` must be one, or one for each of 1 images, got 3"):
        edit(pipe, radiograph, keep_mask=np.ones((3, NATIVE, NATIVE)))
    with pytest.raises(InputError, match=r"`keep_mask` must be left out with `restricted=False`"):
        edit(pipe, radiograph, keep_mask=KEPT, restricted=False)
