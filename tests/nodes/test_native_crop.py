"""X2XCropToMask, and Compose Edit putting an edited crop back; what Compose Edit must leave alone."""

from __future__ import annotations

import pytest
import torch
from comfy_pack import run

ROWS, COLUMNS = 120, 200
BOX = slice(40, 60), slice(150, 180)


def picture(rows=ROWS, columns=COLUMNS, batch=1):
    return torch.rand(batch, rows, columns, 3, generator=torch.Generator().manual_seed(rows))


def box(rows=ROWS, columns=COLUMNS, where=BOX):
    mask = torch.zeros(1, rows, columns)
    mask[:, where[0], where[1]] = 1
    return mask


def crop(image, mask, size=128, margin=0.05):
    return run("X2XCropToMask", image=image, guidance_mask=mask, size=size, margin=margin)


def compose(image, edited, mask, unchanged=None, **more):
    widgets = {"soft_edge": 0.0, "strength": 1.0, **more}
    return run(
        "X2XNativeCompose", image=image, edited=edited, guidance_mask=mask, unchanged=unchanged, **widgets
    )[0]  # fmt: skip


def test_the_crop_is_a_finer_view_of_the_mask():
    """A window of 80 pixels, two fifths of the longer side, around the box becomes 128."""
    waves = [torch.linspace(0, 12, sides).sin() / 2 + 0.5 for sides in (ROWS, COLUMNS)]
    image = (waves[0][:, None] * waves[1])[None, ..., None].expand(-1, -1, -1, 3)
    cropped, mask, where = crop(image, box())
    assert cropped.shape == (1, 128, 128, 3) and mask.shape == (1, 128, 128)
    window = where.each[0].window
    assert window.size == (80, 80) and window.top <= 40 and window.left + 80 == COLUMNS
    shown = image[:, window.top : window.top + 80, window.left : window.left + 80].movedim(-1, 1)
    small = torch.nn.functional.interpolate(cropped.movedim(-1, 1), (80, 80), mode="area")
    assert (small - shown).abs().max() < 0.02
    assert abs(float(mask.mean()) - 20 * 30 / 80**2) < 0.01


@pytest.mark.parametrize("unchanged", [False, True])
@pytest.mark.parametrize("of_crop", [False, True])
def test_an_edited_crop_goes_back_to_its_place(unchanged, of_crop):
    """Also if the mask given to Compose Edit is that of the crop."""
    image = picture() / 2
    cropped, mask, where = crop(image, box())
    edited = (cropped + 0.2 * (mask > 0.5)[..., None]).clamp(0, 1)
    result = compose(image, edited, mask if of_crop else box(), cropped if unchanged else None, crop=where)
    region = box() > 0
    assert torch.equal(result[~region], image[~region])
    inner = slice(BOX[0].start + 2, BOX[0].stop - 2), slice(BOX[1].start + 2, BOX[1].stop - 2)
    change = (result - image)[:, inner[0], inner[1]]
    assert (change.mean() - 0.2).abs() < 0.02
    if unchanged:  # a difference keeps the original's own detail
        assert change.std() < 0.1


@pytest.mark.parametrize("composition", ["difference", "saturating"])
def test_no_change_of_a_crop_is_the_original(composition):
    image = picture()
    cropped, _, where = crop(image, box())
    assert torch.equal(compose(image, cropped, box(), cropped, crop=where, composition=composition), image)


def test_a_shift_of_colours_of_a_crop_leaves_no_seam():
    image = torch.tensor([0.4, 0.5, 0.6]).expand(1, ROWS, COLUMNS, 3)
    cropped, _, where = crop(image, box())
    shifted = cropped + torch.tensor([0.1, -0.05, 0.0])
    assert (compose(image, shifted, box(), crop=where) - image).abs().max() > 0.05
    assert torch.allclose(compose(image, shifted, box(), crop=where, remove_drift=True), image, atol=1e-5)


def test_each_picture_of_a_batch_has_a_crop_of_its_own():
    images, masks = picture(batch=2), torch.cat([box(), box(where=(slice(80, 110), slice(5, 40)))])
    cropped, _, where = crop(images, masks)
    result = compose(images, torch.zeros_like(cropped), masks, crop=where)
    for number in range(2):
        one = images[number : number + 1], masks[number : number + 1]
        alone = crop(*one)
        assert torch.equal(alone[0], cropped[number : number + 1])
        black = torch.zeros_like(alone[0])
        assert torch.equal(compose(one[0], black, one[1], crop=alone[2]), result[number : number + 1])
    assert (result[masks > 0] == 0).all() and torch.equal(result[masks == 0], images[masks == 0])


@pytest.mark.parametrize("mask", [torch.zeros(1, ROWS, COLUMNS), torch.ones(1, ROWS, COLUMNS)])
def test_without_a_small_region_the_picture_is_whole(mask):
    image = picture()
    cropped, _, where = crop(image, mask)
    assert where.each[0].window is None and cropped.shape == (1, 128, 128, 3)
    result = compose(image, torch.zeros_like(cropped), mask, crop=where)
    assert torch.equal(result, image * (1 - mask[..., None]))


def test_a_mask_of_another_size_is_scaled():
    small = box()[:, ::4, ::4]
    assert crop(picture(), small)[2] == crop(picture(), small.repeat_interleave(4, 1).repeat_interleave(4, 2))[2]


def test_crops_that_do_not_belong_are_rejected():
    image = picture()
    cropped, _, where = crop(image, box())
    with pytest.raises(ValueError, match="`edited` must have the size of the crop, 128x128"):
        compose(image, cropped[:, 8:], box(), crop=where)
    with pytest.raises(ValueError, match="`image` must be the one given to Crop to Mask, 120x200"):
        compose(picture(60, 100), cropped, box(), crop=where)
    with pytest.raises(ValueError, match="`encoded` must be left out with `crop`"):
        compose(image, cropped, box(), crop=where, encoded=cropped)
    _, _, three = crop(picture(batch=3), box())
    with pytest.raises(ValueError, match="`crop` must be of one image, or of each of 2 images, got 3"):
        compose(picture(batch=2), torch.zeros(2, 128, 128, 3), box(), crop=three)
    with pytest.raises(ValueError, match="`margin` must be a finite number"):
        crop(image, box(), margin=float("nan"))


@pytest.mark.parametrize("side", [ROWS, 2 * ROWS, 15])
@pytest.mark.parametrize("unchanged", [False, True])
def test_what_must_stay_stays(unchanged, side):
    """Of a keep mask of any size, no pixel that it touches changes."""
    image, keep = picture(), torch.zeros(1, side, side)
    keep[:, side // 3 : side // 2] = 0.01
    edited = torch.zeros_like(image)
    result = compose(image, edited, torch.ones(1, ROWS, COLUMNS), picture(ROWS, COLUMNS) if unchanged else None,
                     keep_mask=keep)  # fmt: skip
    rows = [row for row in range(ROWS) if keep[0, row * side // ROWS : -(-(row + 1) * side // ROWS)].any()]
    changed = (result != image).any(-1)[0].any(dim=1)
    assert rows and not changed[rows].any()
    assert changed[[row for row in range(ROWS) if row not in rows]].all()


def test_a_drift_is_measured_outside_the_edit_not_where_it_must_stay():
    image = torch.full((1, ROWS, COLUMNS, 3), 0.5)
    region = box() > 0
    edited = image + 0.1 + 0.2 * region[..., None]
    keep = box(where=(slice(45, 55), BOX[1]))
    result = compose(image, edited, box(), keep_mask=keep, remove_drift=True)
    assert torch.allclose(result, image + 0.2 * (region & (keep == 0))[..., None], atol=1e-5)


def test_a_guidance_map_spares_what_must_stay():
    relevance, keep = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0)), torch.zeros(1, 128, 128)
    keep[:, 40:80, 40:80] = 1
    rules = {"remove_islands": True, "close_holes": True, "soft_edge": 0.0}
    for rule, threshold in (("adaptive", 0.1), ("threshold", 0.0)):
        given = {"pseudomask": torch.ones(1, 64, 64), "relevance": relevance, "mask_rule": rule, **rules}
        guidance, mask = run("X2XGuidanceMap", **given, threshold=threshold, keep_mask=keep)
        kept = keep[:, ::2, ::2] > 0
        assert not guidance[kept].any() and not mask[kept].any()
        assert mask[~kept].any()
        assert run("X2XGuidanceMap", **given, threshold=threshold)[1][kept].any()
