"""Laying an edit over the original."""

import itertools

import cv2
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.edit.composition import (
    closed_edges,
    compose_decoded,
    compose_difference,
    compose_saturating,
    interpolate_latents,
    is_grey,
    match_channels,
    relative_headroom,
)
from x2x_core.imaging.soft import soft_edges
from x2x_core.imaging.soft_tissue import soft_tissue_grey


def pictures(seed, channels=1):
    return torch.rand(3, 2, channels, 6, 7, generator=seeded(seed))


@given(seed=st.integers(0, 99))
def test_no_change_leaves_the_original_bit_for_bit(seed):
    original, _, draws = pictures(seed)
    assert torch.equal(compose_difference(original, torch.zeros_like(original), draws), original)


@given(seed=st.integers(0, 99), grey=st.floats(0, 1), change=st.floats(-1, 1))
def test_on_an_even_picture_the_change_is_added(seed, grey, change):
    even = torch.full((1, 1, 64, 64), grey)
    found = compose_difference(even, torch.full_like(even, change), torch.ones_like(even))
    assert torch.allclose(found, (even + change).clamp(0, 1), atol=1e-5)


@given(seed=st.integers(0, 99), height=st.integers(520, 700), width=st.integers(520, 700))
@settings(max_examples=5, deadline=None)
def test_a_large_picture_takes_the_same_room(seed, height, width):
    """Above 512 pixels the neighbourhood's mean is taken on a smaller picture."""
    original = 0.1 + 0.8 * torch.rand(1, 1, height, width, generator=seeded(seed))
    mean = cv2.GaussianBlur(original[0, 0].numpy(), (0, 0), max(height, width) / 64, borderType=cv2.BORDER_REFLECT)
    expected = (1 - original) / (1 - torch.from_numpy(mean))
    assert (relative_headroom(original, torch.ones_like(original)) - expected).abs().max() < 0.03


def fine_detail(mean, spread, size=256):
    """A picture whose neighbourhoods are alike, with detail from pixel to pixel."""
    draws = torch.rand(1, 1, size, size, generator=seeded(0))
    return mean + spread * (2 * draws - 1)


@pytest.mark.parametrize("change", [0.25, -0.25])
def test_the_mean_changes_as_asked_and_detail_keeps_its_share_of_the_room(change):
    original = fine_detail(0.5, 0.2)
    found = compose_difference(original, torch.full_like(original, change), torch.ones_like(original))
    assert (found - original).mean().sub(change).abs() < 0.003
    assert (found.std() / original.std()).sub(0.5).abs() < 0.05  # half of the room is left, so half of the detail
    assert torch.corrcoef(torch.stack([found.flatten(), original.flatten()]))[0, 1] > 0.98


def test_an_edge_goes_under_a_veil_that_fills_the_room():
    """A dark lung over a bright abdomen, and fluid above: a sum of blurred changes would leave a dark line."""
    original = torch.full((1, 1, 256, 256), 0.9)
    original[..., :128, :] = 0.3
    change = torch.zeros_like(original)
    change[..., :128, :] = 0.6
    change = _coarse(change)
    veiled = compose_difference(original, change, torch.ones_like(original))[0, 0, :, 128]
    summed = (original + change)[0, 0, :, 128]
    assert (veiled[100:156] - 0.9).abs().max() < 0.6 * (summed[100:156] - 0.9).abs().max()


def _coarse(change):
    return F.interpolate(F.avg_pool2d(change, 8), scale_factor=8, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("compose", [compose_difference, compose_saturating])
def test_the_neighbourhood_shrinks_with_the_share_that_the_model_saw(compose):
    original, change = torch.cat([chest(128), chest(128) ** 2]), torch.full((2, 1, 128, 128), 0.3)
    mask = torch.ones_like(change)
    whole, mixed = compose(original, change, mask), compose(original, change, mask, 1.0, [1.0, 0.4])
    assert torch.equal(mixed[0], whole[0]) and not torch.equal(mixed[1], whole[1])
    assert torch.equal(mixed[1:], compose(original[1:], change[1:], mask[1:], 1.0, [0.4]))
    assert torch.equal(compose(original, change, mask, 1.0, [1.0, 1.0]), whole)


@pytest.mark.parametrize("grey", [0.0, 1.0])
def test_black_and_white_have_no_room_and_give_no_nan(grey):
    original = torch.full((1, 1, 32, 32), grey)
    original[..., 16, 16] = 0.5
    for change in (-1.0, 1.0):
        found = compose_difference(original, torch.full_like(original, change), torch.ones_like(original))
        assert torch.isfinite(found).all() and found.min() >= 0 and found.max() <= 1


@given(seed=st.integers(0, 99), channels=st.sampled_from([1, 3]))
def test_all_compositions_stay_in_range_and_change_nothing_outside_the_mask(seed, channels):
    original, other, draws = pictures(seed, channels)
    mask = (draws[:, :1] > 0.5).float()
    for found in (
        compose_difference(original, 4 * other - 2, mask),
        compose_saturating(original, 4 * other - 2, mask),
        compose_decoded(original, 4 * other - 2, mask),
    ):
        assert found.min() >= 0 and found.max() <= 1
        assert torch.equal(found * (1 - mask), original * (1 - mask))


def test_the_decoding_takes_the_place_of_the_original():
    original, other, _ = pictures(0)
    assert torch.equal(compose_decoded(original, other, torch.ones(2, 1, 6, 7)), other)


STRENGTHS = st.floats(0, 1)


@given(seed=st.integers(0, 99))
def test_no_strength_is_the_original_and_full_strength_the_full_edit_bit_for_bit(seed):
    original, other, mask = pictures(seed)
    for compose, values in (
        (compose_difference, 2 * other - 1),
        (compose_saturating, 2 * other - 1),
        (compose_decoded, 3 * other - 1),
    ):
        assert torch.equal(compose(original, values, mask, 0.0), original)
        assert torch.equal(compose(original, values, mask, 1.0), compose(original, values, mask))


@given(seed=st.integers(0, 99), strengths=st.tuples(STRENGTHS, STRENGTHS).map(sorted))
def test_a_stronger_edit_never_turns_back_and_small_steps_change_little(seed, strengths):
    original, other, mask = pictures(seed)
    weak, strong = strengths
    for compose, values in (
        (compose_difference, 2 * other - 1),
        (compose_saturating, 2 * other - 1),
        (compose_decoded, 3 * other - 1),
    ):
        first, second, full = (compose(original, values, mask, strength) for strength in (weak, strong, 1.0))
        towards = (full - original).sign()
        assert ((second - first) * towards >= -1e-6).all()
        assert (second - first).abs().max() <= (strong - weak) * 1.01 + 1e-6


@given(seed=st.integers(0, 99))
def test_no_change_leaves_the_original_bit_for_bit_under_saturation(seed):
    original, _, draws = pictures(seed)
    assert torch.equal(compose_saturating(original, torch.zeros_like(original), draws), original)


def chest(size=256):
    """Dark lung with detail, and soft tissue of grey 0.7 in the lower half."""
    picture = fine_detail(0.3, 0.1, size)
    picture[..., size // 2 :, :] = 0.7
    return picture


def test_an_opacity_is_never_brighter_than_the_pictures_soft_tissue():
    original = chest()
    whole = torch.ones_like(original)
    tissue = soft_tissue_grey(original)
    assert torch.allclose(tissue, torch.full_like(tissue, 0.7), atol=1e-3)
    dense = compose_saturating(original, 0.9 * whole, whole)
    assert dense.max() <= 0.7 + 1e-6 and dense[..., :100, :].mean() > 0.6
    assert compose_difference(original, 0.9 * whole, whole).max() > 0.95
    assert torch.allclose(dense[..., 150:, :], original[..., 150:, :], atol=1e-6)


def test_a_faint_change_is_added_and_detail_fades_under_a_dense_one():
    original, lung = chest(), (..., slice(0, 100), slice(None))
    whole = torch.ones_like(original)
    for change in (0.02, -0.02):
        faint = compose_saturating(original, change * whole, whole)
        assert (faint - original)[lung].mean().item() == pytest.approx(change, rel=0.1)
    spreads = [compose_saturating(original, change * whole, whole)[lung].std() for change in (0.0, 0.2, 0.5)]
    assert spreads[0] > 1.4 * spreads[1] > 1.4 * spreads[2]
    dark = compose_saturating(original, -2.0 * whole, whole)
    assert dark.min() >= 0 and dark[lung].mean() < 0.01


def test_pixels_brighter_than_soft_tissue_stay():
    original = chest()
    original[..., 20:24, 20:24] = 1.0
    brighter = compose_saturating(original, torch.full_like(original, 0.5), torch.ones_like(original))
    assert torch.equal(brighter[..., 20:24, 20:24], original[..., 20:24, 20:24])


def lung_with_heart():
    """Lung of grey 0.3 left of tissue of grey 0.7, and a mask of the lung's right part."""
    original = torch.full((1, 1, 256, 256), 0.3)
    original[..., 128:] = 0.7
    mask = torch.zeros(1, 1, 256, 256, dtype=torch.bool)
    mask[..., 60:200, 70:130] = True
    return original, soft_edges(mask, 12)


def test_an_opacity_reaches_the_tissue_where_the_mask_ends_and_fades_into_the_lung():
    original, soft = lung_with_heart()
    edited = compose_saturating(original, torch.full_like(original, 0.9), soft)
    row = edited[0, 0, 130]
    assert row[115:126].min() > 0.62  # no dark rim beside the heart
    assert row[70] < 0.4 and (row[70:100].diff() >= -1e-3).all()  # a soft edge within the lung
    assert torch.equal(edited[soft == 0], original[soft == 0])


def test_edges_to_soft_tissue_are_closed_and_edges_to_lung_stay():
    original, soft = lung_with_heart()
    closed = closed_edges(soft, original, torch.full_like(original, 0.7))
    assert (closed >= soft).all() and ((closed > 0) == (soft > 0)).all() and closed.max() <= 1
    assert closed[0, 0, 130, 127] > 0.8 > 0.2 > soft[0, 0, 130, 127]  # lung beside the heart
    assert torch.equal(closed[..., 128:], soft[..., 128:])  # the heart itself
    assert closed[0, 0, 130, 72] == pytest.approx(soft[0, 0, 130, 72].item(), abs=0.01)


def test_whole_and_empty_masks_have_no_edges():
    original, _ = lung_with_heart()
    for mask in (torch.zeros_like(original), torch.ones_like(original)):
        assert torch.equal(closed_edges(mask, original, torch.full_like(original, 0.7)), mask)


def test_a_darkening_fades_everywhere():
    original, soft = lung_with_heart()
    edited = compose_saturating(original, torch.full_like(original, -0.2), soft)
    assert (original - edited)[0, 0, 130, 127] < 0.05 < 0.12 < (original - edited)[0, 0, 130, 100]


def test_ribs_keep_more_of_their_contrast_under_a_darkening_than_the_gaps_between_them():
    original = torch.full((1, 1, 256, 256), 0.5)
    original[..., 100, 100], original[..., 150, 150] = 0.6, 0.4
    darker = compose_saturating(original, torch.full_like(original, -0.25), torch.ones_like(original))
    around = darker[0, 0, 60, 60]
    rib, gap = darker[0, 0, 100, 100] - around, around - darker[0, 0, 150, 150]
    assert 0.1 > rib > 1.2 * gap > 0


@given(seed=st.integers(0, 99), strengths=st.tuples(STRENGTHS, STRENGTHS).map(sorted))
def test_latents_go_from_the_originals_to_the_edits(seed, strengths):
    clean, edited, draws = 8 * pictures(seed, 4) - 4
    edited = torch.where(draws > 0, edited, clean)
    assert torch.equal(interpolate_latents(clean, edited, 0.0), clean)
    assert torch.equal(interpolate_latents(clean, edited, 1.0), edited)
    first, second = (interpolate_latents(clean, edited, strength) for strength in strengths)
    assert ((second - first) * (edited - clean).sign() >= -1e-5).all()
    assert torch.equal(first[draws <= 0], clean[draws <= 0])


def test_channels_are_matched_and_grey_stays_grey():
    colour = pictures(0, 3)[0]
    assert torch.allclose(match_channels(colour, 1), colour.mean(dim=1, keepdim=True))
    assert torch.equal(match_channels(colour, 3), colour)
    some = match_channels(colour, 3, grey=torch.tensor([True, False]))
    assert is_grey(some).tolist() == [True, False] and torch.equal(some[1], colour[1])
    assert torch.equal(match_channels(colour[:, :1], 3), colour[:, :1].expand(-1, 3, -1, -1))


def test_grey_is_distinguished_from_colour_with_some_tolerance():
    grey = pictures(0)[0].expand(-1, 3, -1, -1).clone()
    assert is_grey(grey).all()
    grey[0, 0] += 0.01
    assert is_grey(grey).tolist() == [False, True] and is_grey(grey, tolerance=0.02).all()


def lung_beside_tissue():
    """A lung of grey 0.3 with faint grain, beside soft tissue of grey 0.8."""
    picture = torch.full((1, 1, 192, 160), 0.3)
    picture[..., 100:] = 0.8
    return (picture + 0.01 * torch.randn(picture.shape, generator=seeded())).clamp(0, 1)


@pytest.mark.parametrize("drawn", [-0.15, 0.05, 0.3])
def test_a_change_that_is_known_is_reached_where_it_lies(drawn):
    original = lung_beside_tissue()
    inside = torch.zeros_like(original)
    inside[..., 60:120, 40:80] = 1
    made = compose_saturating(original, drawn * inside, torch.ones_like(original), exact=True)
    middle = (slice(None), slice(None), slice(66, 114), slice(46, 74))
    assert torch.allclose((made - original)[middle].mean(), torch.tensor(drawn), atol=0.01)
    assert torch.equal(made[inside == 0], original[inside == 0])


def test_under_a_change_that_is_known_detail_fades_with_it():
    original = lung_beside_tissue()
    fine = 0.02 * torch.sin(torch.arange(original.shape[-1]) * 3.0).expand_as(original)
    spread = []
    for drawn in (0.0, 0.15, 0.3):
        made = compose_saturating(
            original + fine, torch.full_like(original, drawn), torch.ones_like(original), exact=True
        )
        spread.append(float(made[..., 66:114, 20:80].std(dim=-1).mean()))
    assert spread[0] > spread[1] > spread[2]


def test_a_dense_change_that_is_known_stays_in_range_and_turns_nothing_round():
    original = lung_beside_tissue()
    made = [
        compose_saturating(original, torch.full_like(original, drawn), torch.ones_like(original), exact=True)
        for drawn in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ]
    assert all(float(own.min()) >= 0 and float(own.max()) <= 1 for own in made)
    assert all(bool((lower <= upper + 1e-6).all()) for lower, upper in itertools.pairwise(made))
