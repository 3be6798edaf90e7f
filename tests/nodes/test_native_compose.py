"""X2XNativeCompose: merging the edit of any graph into the original."""

from __future__ import annotations

import pytest
import torch
from comfy_pack import run

from x2x_core.edit.composition import compose_saturating

SIDE = 32


def picture(value=None, batch=1, height=SIDE, width=SIDE, channels=3):
    """Return grey noise, or a constant picture."""
    grey = torch.rand(batch, height, width, 1) if value is None else torch.full((batch, height, width, 1), value)
    return grey.expand(-1, -1, -1, channels).contiguous()


def half(height=SIDE, width=SIDE, batch=1):
    """Return a mask of the left half."""
    mask = torch.zeros(batch, height, width)
    mask[:, :, : width // 2] = 1
    return mask


def compose(image, edited, mask, unchanged=None, soft_edge=0.0, strength=1.0, **more):
    return run(
        "X2XNativeCompose", image=image, edited=edited, guidance_mask=mask, soft_edge=soft_edge, strength=strength,
        unchanged=unchanged, **more,
    )[0]  # fmt: skip


COMPOSITIONS = [(None, "difference"), (0.5, "difference"), (0.5, "saturating")]


@pytest.mark.parametrize("remove_drift", [False, True])
@pytest.mark.parametrize(("unchanged", "composition"), COMPOSITIONS)
def test_outside_the_mask_the_original_stays(unchanged, composition, remove_drift):
    image, unchanged = picture(), None if unchanged is None else picture(unchanged)
    how = {"composition": composition, "remove_drift": remove_drift}
    result = compose(image, picture(), half(), unchanged, soft_edge=0.1, **how)
    assert torch.equal(result[:, :, SIDE // 2 :], image[:, :, SIDE // 2 :])
    assert not torch.equal(result, image)


def test_decoded_takes_the_originals_place():
    edited = picture()
    result = compose(picture(), edited, half())
    assert torch.allclose(result[:, :, : SIDE // 2], edited[:, :, : SIDE // 2])


def test_difference_keeps_the_originals_grain():
    image = picture() / 2
    result = compose(image, picture(0.6), half(), picture(0.4))[0, :, : SIDE // 2, 0]
    original = image[0, :, : SIDE // 2, 0]
    inner = slice(4, -4), slice(4, -4)
    grey = (result - original)[inner]
    assert (grey.mean() - 0.2).abs() < 0.01 and grey.min() > 0.1
    assert torch.corrcoef(torch.stack([result[inner].flatten(), original[inner].flatten()]))[0, 1] > 0.98


@pytest.mark.parametrize("remove_drift", [False, True])
@pytest.mark.parametrize("composition", ["difference", "saturating"])
@pytest.mark.parametrize("size", [(SIDE, SIDE), (2 * SIDE, 2 * SIDE), (37, 38)])
def test_no_change_is_the_original(size, composition, remove_drift):
    how = {"composition": composition, "remove_drift": remove_drift}
    for original in (picture(height=size[0], width=size[1]), torch.rand(1, *size, 3)):
        decoded = torch.rand(1, SIDE, SIDE, 3)
        assert torch.equal(compose(original, decoded, half(*size), decoded, soft_edge=0.1, **how), original)


def test_saturating_is_the_librarys():
    image, edited, unchanged = torch.rand(1, SIDE, SIDE, 3), picture(0.9), picture(0.3)
    result = compose(image, edited, half(), unchanged, strength=0.7, composition="saturating")
    channels = [one.movedim(-1, 1) for one in (image, edited - unchanged)]
    expected = compose_saturating(*channels, half()[:, None], 0.7).movedim(1, -1)
    assert torch.equal(result, expected)
    assert not torch.equal(result, compose(image, edited, half(), unchanged, strength=0.7))


def test_saturating_needs_something_to_compare_with():
    with pytest.raises(ValueError, match="`composition` 'saturating' needs `unchanged`"):
        compose(picture(), picture(), half(), composition="saturating")


@pytest.mark.parametrize("unchanged", [False, True])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_shift_of_colours_leaves_no_seam(unchanged, scale):
    """A model that edits nothing but makes all of the picture redder and darker gives the original back."""
    colours = torch.rand(1, SIDE, SIDE, 3) / 2 + 0.25
    image = colours.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    before = torch.rand(1, SIDE, SIDE, 3) / 2 + 0.25 if unchanged else None
    shifted = (colours if before is None else before) + torch.tensor([0.1, -0.05, -0.1])
    with_seam, without = (
        compose(image, shifted, half(), before, remove_drift=removed)[:, :, : SIDE * scale // 2] for removed in (0, 1)
    )
    before_mask = image[:, :, : SIDE * scale // 2]
    shift = (with_seam - before_mask).mean((0, 1, 2)), (without - before_mask).mean((0, 1, 2))
    assert shift[0].abs().min() > 0.03
    assert shift[1].abs().max() < (1e-5 if scale == 1 or unchanged else 0.02)  # scaling the original mixes pixels


def test_an_edit_stays_when_a_drift_is_removed():
    change = 0.3 * half()[..., None]
    result = compose(picture(0.2), picture(0.2) + change + 0.1, half(), remove_drift=True)
    assert torch.allclose(result, picture(0.2) + change, atol=1e-5)


def test_a_drift_needs_something_outside_the_mask():
    masks = torch.cat([half(), torch.ones(1, SIDE, SIDE)])
    with pytest.raises(ValueError, match=r"`remove_drift` needs pixels outside .* all of image 1"):
        compose(picture(batch=2), picture(batch=2), masks, remove_drift=True)


@pytest.mark.parametrize("unchanged", [None, 0.4])
def test_strength_goes_from_the_original_to_the_edit(unchanged):
    image, edited = picture(0.3), picture(0.6)
    unchanged = None if unchanged is None else picture(unchanged)
    full = compose(image, edited, half(), unchanged)
    assert torch.equal(compose(image, edited, half(), unchanged, strength=0.0), image)
    middle = compose(image, edited, half(), unchanged, strength=0.5)
    assert torch.allclose(middle, (image + full) / 2, atol=1e-6)


def test_edges_are_soft_inside_the_mask_only():
    result = compose(picture(0.0), picture(1.0), half(), soft_edge=0.25)[0, SIDE // 2, :, 0]
    assert (result[SIDE // 2 :] == 0).all()
    inside = result[: SIDE // 2].flip(0)
    assert (inside.diff() >= 0).all() and 0 < inside[0] < 0.2 and inside[-1] == 1


def test_values_stay_in_range():
    result = compose(picture(0.9), picture(1.0), half(), picture(0.0))
    assert result.max() == 1 and result.min() >= 0


def test_grey_stays_grey():
    edited = torch.rand(1, SIDE, SIDE, 3)
    result = compose(picture(), edited, half())
    assert torch.equal(result[..., 0], result[..., 1]) and torch.equal(result[..., 0], result[..., 2])
    coloured = torch.rand(1, SIDE, SIDE, 3)
    assert torch.equal(compose(coloured, edited, half())[:, :, : SIDE // 2], edited[:, :, : SIDE // 2])


def test_a_change_is_added_to_a_larger_original():
    image = picture(height=4 * SIDE, width=4 * SIDE) / 2
    result = compose(image, picture(0.6), half(4 * SIDE, 4 * SIDE), picture(0.4))
    change = (result - image)[:, 8:-8, 8 : 2 * SIDE - 8]
    assert (change.mean() - 0.2).abs() < 0.01 and change.min() > 0.1
    assert torch.equal(result[:, :, 2 * SIDE :], image[:, :, 2 * SIDE :])


def test_the_border_that_vae_encode_crops_stays():
    """Of 37 rows, VAE Encode keeps rows 2 to 33."""
    image, edited = picture(height=37, width=38), picture(0.5)
    edited[:, 0] = 1.0
    result = compose(image, edited, torch.ones(1, 37, 38))
    assert torch.equal(result[:, 2:34, 3:35], edited)
    for kept in (result[:, :2] == image[:, :2], result[:, 34:] == image[:, 34:], result[:, :, :3] == image[:, :, :3]):
        assert kept.all()


@pytest.mark.parametrize("size", [(8, 8), (128, 128), (SIDE, SIDE)])
def test_masks_of_any_size(size):
    image = picture(0.0)
    result = compose(image, picture(1.0), half(*size))[0, ..., 0]
    assert (result[:, : SIDE // 2] == 1).all() and (result[:, SIDE // 2 :] == 0).all()


def test_batches():
    images, masks = picture(batch=3), torch.cat([half(), 1 - half(), torch.zeros(1, SIDE, SIDE)])
    result = compose(images, picture(0.5, 3), masks)
    for number in range(3):
        alone = compose(images[number : number + 1], picture(0.5), masks[number : number + 1])
        assert torch.equal(result[number : number + 1], alone)
    several = compose(images[:1], picture(batch=3), half())  # one image, several edits
    assert len(several) == 3 and torch.equal(several[2, :, SIDE // 2 :], images[0, :, SIDE // 2 :])


def test_alpha_is_kept():
    image = torch.rand(1, SIDE, SIDE, 4)
    result = compose(image, torch.rand(1, SIDE, SIDE, 3), half())
    assert result.shape == image.shape and torch.equal(result[..., 3], image[..., 3])


def test_inputs_are_not_changed():
    given = picture(), picture(), half(), picture()
    kept = [one.clone() for one in given]
    compose(*given).mul_(0)
    assert all(torch.equal(one, before) for one, before in zip(given, kept))


def test_pictures_that_do_not_belong_together_are_rejected():
    with pytest.raises(ValueError, match="`edited` must have the aspect ratio of `image`, 64x32"):
        compose(picture(height=64), picture(), half())
    with pytest.raises(ValueError, match="`unchanged` must have the size of `edited`"):
        compose(picture(), picture(), half(), picture(height=16, width=16))
    with pytest.raises(ValueError, match="`edited` must hold one, or one for each of 3"):
        compose(picture(batch=3), picture(batch=2), half())
    with pytest.raises(ValueError, match="`guidance_mask` must hold one"):
        compose(picture(), picture(), half(batch=2))
