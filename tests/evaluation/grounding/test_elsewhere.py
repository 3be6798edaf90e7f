"""The same amount of change elsewhere: never in the kept region, of the same histogram, scaled where it is clipped."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from x2x_core.common.errors import InputError
from x2x_core.evaluation.grounding.elsewhere import (
    MARGIN,
    amount,
    as_written,
    match_amount,
    match_either_way,
    match_written,
    moved_change,
    pixels_elsewhere,
    region_of,
)
from x2x_core.imaging.changed import grown

BEFORE = torch.full((1, 1, 20, 24), 0.4)
EVERYWHERE = torch.ones(1, 1, 20, 24, dtype=torch.bool)


def square(top, left, side=5):
    region = torch.zeros(1, 1, 20, 24, dtype=torch.bool)
    region[..., top : top + side, left : left + side] = True
    return region


@settings(max_examples=20)
@given(some.integers(0, 15), some.integers(0, 19), some.integers(0, 99))
def test_a_moved_change_has_the_same_differences_outside_the_kept_region(top, left, seed):
    generator = torch.Generator().manual_seed(seed)
    after = BEFORE + square(top, left) * 0.3 * torch.rand(BEFORE.shape, generator=generator)
    keep = grown(square(top, left), MARGIN)
    pixels = pixels_elsewhere(keep, EVERYWHERE, generator)
    moved = moved_change(BEFORE, after, pixels)
    assert torch.equal(moved[keep], BEFORE[keep])
    own, there = ((image - BEFORE).flatten().sort().values for image in (after, moved))
    assert torch.allclose(own, there, atol=1e-6) and amount(BEFORE, moved) == pytest.approx(amount(BEFORE, after))


def test_the_place_is_in_the_body_and_hangs_on_the_seed_alone():
    body = square(0, 0, 8)
    first, again = (pixels_elsewhere(square(10, 10), body, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again) and region_of(first[:64], body.shape).equal(body)
    assert (
        len(first) == 20 * 24 - 25
        and len({*first.tolist()} & {*square(10, 10).flatten().nonzero()[:, 0].tolist()}) == 0
    )


def test_a_body_that_is_kept_whole_gives_way_to_the_rest():
    region = region_of(pixels_elsewhere(square(3, 3), square(3, 3), torch.Generator().manual_seed(0))[:9], BEFORE.shape)
    assert int(region.sum()) == 9 and not (region & square(3, 3)).any()


def test_nothing_left_is_refused():
    with pytest.raises(InputError, match="`keep` must leave a part"):
        pixels_elsewhere(EVERYWHERE, EVERYWHERE, torch.Generator())


def test_a_change_is_scaled_to_an_amount_and_what_it_can_t_reach_is_said():
    after = BEFORE + 0.1 * square(2, 2)
    twice = match_amount(BEFORE, after, 2 * amount(BEFORE, after))
    assert twice.matches and twice.gain == pytest.approx(2, rel=1e-3) and float(twice.image.max()) <= 1
    clipped = match_amount(torch.full_like(BEFORE, 0.9), torch.full_like(BEFORE, 0.9) + 0.3 * square(2, 2), 0.02)
    assert not clipped.matches and clipped.amount < 0.02 and float(clipped.image.max()) == 1
    nothing = match_amount(BEFORE, BEFORE, 0.01)
    assert not nothing.matches and nothing.amount == 0
    assert match_amount(BEFORE, BEFORE, 0.0).matches


def test_a_change_without_room_becomes_its_opposite():
    dark = torch.full_like(BEFORE, 0.05)
    turned = match_either_way(dark, dark - 0.3 * square(2, 2), 0.3 * 25 / BEFORE.numel())
    assert turned.matches and turned.gain == pytest.approx(-1, rel=1e-3) and float(turned.image.max()) > 0.3
    kept = match_either_way(BEFORE, BEFORE - 0.3 * square(2, 2), 0.3 * 25 / BEFORE.numel())
    assert kept.gain == pytest.approx(1, rel=1e-3) and float(kept.image.min()) < 0.2


def test_an_amount_is_judged_by_what_is_left_of_it_in_8_bits():
    faint = BEFORE + 0.3 / 255 * square(2, 2)  # less than half a grey value
    wanted = amount(BEFORE, faint)
    assert match_either_way(BEFORE, faint, wanted).matches
    lost = match_written(BEFORE, faint, wanted)
    assert not lost.matches and lost.amount == 0 and torch.equal(lost.image, as_written(BEFORE))
    plain = as_written(BEFORE + 2 / 255 * square(2, 2))
    kept = match_written(as_written(BEFORE), plain, amount(as_written(BEFORE), plain))
    assert kept.matches and torch.equal(kept.image, plain)
