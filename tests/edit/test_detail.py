"""The detail of a change, from an extent."""

import pytest
import torch

from x2x_core.edit.detail import with_detail
from x2x_core.simulation.films.fields import blur

CELLS = 32
SIDE = 256


def band(sign=1.0, rows=slice(100, 106)):
    """A plate, narrower than a cell."""
    extent = torch.zeros(1, 1, SIDE, SIDE)
    extent[..., rows, 80:180] = sign
    return extent


def test_no_pixel_changes_more_than_its_extent():
    extent = 0.1 * band()
    made = with_detail(5 * seen_by_model(band()), extent, CELLS, None)
    inside = band().bool()
    assert made[inside].max() == pytest.approx(0.1, abs=1e-6) and made[inside].min() > 0.09


def seen_by_model(extent, amount=0.2):
    """The change of a model that knows the extent to a cell."""
    return torch.from_numpy(amount * blur(extent[0, 0].numpy(), 0.6 * SIDE / CELLS))[None, None]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_blurred_change_gets_the_extents_detail_and_keeps_its_amount(sign):
    extent = band(sign)
    change = seen_by_model(extent)
    sharp = with_detail(change, extent, CELLS, None)
    middle = sharp[0, 0, 102, 100:160]
    assert torch.allclose(middle, torch.full_like(middle, 0.2 * sign), rtol=0.15)
    assert sharp[0, 0, 112, 130].abs() < 0.25 * change[0, 0, 112, 130].abs()


def test_a_finer_canvas_has_a_smaller_cell():
    extent = band()
    change = torch.from_numpy(0.2 * blur(extent[0, 0].numpy(), 0.6 * SIDE / CELLS * 0.4))[None, None]
    sharp = with_detail(change, extent, CELLS, [0.4])
    assert torch.allclose(sharp[0, 0, 102, 110:150], torch.full((40,), 0.2), rtol=0.15)


def test_nothing_becomes_darker_under_an_opacity_or_brighter_in_air():
    for sign in (1.0, -1.0):
        wrong = with_detail(-seen_by_model(band(sign)), band(sign), CELLS, None)
        where = band().bool()
        assert wrong[where].abs().max() < 1e-6


def test_far_from_an_extent_and_without_one_the_change_stays():
    change = torch.randn(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    extents = torch.cat([band(), torch.zeros(1, 1, SIDE, SIDE)])
    made = with_detail(change, extents, CELLS, None)
    assert torch.equal(made[1], change[1])
    assert torch.equal(made[0, :, 180:], change[0, :, 180:]) and not torch.equal(made[0], change[0])


def test_each_channel_and_picture_is_computed_alone():
    changes = torch.cat([seen_by_model(band()), -seen_by_model(band(-1.0))]).repeat(1, 3, 1, 1)
    both = with_detail(changes, torch.cat([band(), band(-1.0)]), CELLS, [1.0, 0.5])
    for number, share in enumerate((1.0, 0.5)):
        alone = with_detail(changes[[number], :1], (band(), band(-1.0))[number], CELLS, [share])
        assert torch.equal(both[number, 2], alone[0, 0])


def fluid():
    """A body whose lower half is faint, and the pixels that it takes."""
    extent = 0.3 * band(rows=slice(60, 140))
    extent[..., 100:140, :] *= 0.1
    return extent, extent != 0


@pytest.mark.parametrize(("amount", "share"), [(0.0, 0.0), (-1.0, 0.0), (0.25, 0.5), (0.5, 1.0), (3.0, 1.0)])
def test_a_body_has_one_amount_and_is_there_in_full_from_half_of_it_on(amount, share):
    extent, body = fluid()
    seen = seen_by_model(extent, amount)
    made = with_detail(seen, extent, CELLS, None, body)
    assert torch.allclose(made[body], share * extent[body], atol=1e-3)
    assert made[~body].abs().max() <= 0.05 * seen.abs().max()


def test_a_body_has_no_holes_where_the_model_sees_nothing():
    extent, body = fluid()
    change = seen_by_model(extent, 1.0)
    change[..., 150:] = 0
    made = with_detail(change, extent, CELLS, None, body)
    assert torch.allclose(made[body], extent[body], atol=1e-3)


def test_what_is_beside_a_body_keeps_its_own_amount():
    extent, body = fluid()
    plate = 0.2 * band(rows=slice(200, 206))
    change = seen_by_model(extent, 1.0) + seen_by_model(plate, 0.4)
    made = with_detail(change, extent + plate, CELLS, None, body)
    alone = with_detail(seen_by_model(plate, 0.4), plate, CELLS, None)
    assert torch.allclose(made[plate != 0], alone[plate != 0], rtol=0.2)
