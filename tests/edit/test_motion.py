"""Pixels that findings move, and the composition of what is drawn."""

import pytest
import torch

from x2x_core.edit.drawn import Drawn
from x2x_core.edit.drawn_change import compose_drawn
from x2x_core.edit.motion import Motion, as_a_whole, move_picture
from x2x_core.imaging.wide_blur import smooth
from x2x_core.pseudomasks.extents import Extent, region_of_extent

SIDE, CELLS, STEP = 128, 16, 10


@pytest.fixture
def picture():
    """A dark lung beside a bright heart, whose border is at column 50, with grain."""
    grain = 0.01 * torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    field = torch.full((SIDE, SIDE), 0.3)
    field[:, :50] = 0.7
    return (field + grain).clamp(0, 1)[None, None]


@pytest.fixture
def motion():
    """The border moves to column 60 in rows 30 to 100; the lung up to column 90 is pressed together."""
    columns = torch.arange(SIDE).float()
    source = torch.where(columns < 60, columns * 50 / 60, 50 + (columns - 60) * 40 / 30)
    shift = torch.zeros(1, 2, SIDE, SIDE)
    shift[:, 1, 30:100, :90] = (source - columns)[:90]
    change = torch.zeros(1, 1, SIDE, SIDE)
    change[..., 30:100, 50:60] = 0.4
    return Motion(shift, change, torch.ones_like(change))


def change_of(motion, amount):
    """The change of a model that shows `amount` of a motion, to a cell."""
    return amount * torch.from_numpy(smooth(motion.change[0, 0].numpy(), 0.6 * SIDE / CELLS))[None, None]


def border(picture, row=60):
    """The column where the heart ends."""
    return int((smooth(picture[0, 0].numpy(), 1.0)[row] > 0.5).sum())


def compose(picture, motion, change, mask=None, strength=1.0, extents=None):
    mask = torch.ones_like(picture) if mask is None else mask
    drawn = Drawn(motion.change if extents is None else extents, motion)
    return compose_drawn("saturating", picture, change, mask, drawn, CELLS, strength)


def test_the_border_moves_and_leaves_none_behind(picture, motion):
    result = compose(picture, motion, change_of(motion, 1.0))
    assert border(picture) == 50 and border(result) == 60
    inside = smooth(result[0, 0].numpy(), 2.0)[60, 5:55]
    assert inside.min() > 0.65


@pytest.mark.parametrize(("amount", "column"), [(0.0, 50), (-1.0, 50), (0.5, 55), (3.0, 60)])
def test_the_model_decides_how_far_it_moves(picture, motion, amount, column):
    assert abs(border(compose(picture, motion, change_of(motion, amount))) - column) <= 1


@pytest.fixture
def hiding(motion):
    """The same border moves over the lung, which stays as it is beyond column 66."""
    shift = motion.shift.clone()
    shift[:, 1, 30:100, 60:66], shift[..., 66:] = -10, 0
    cover = torch.ones_like(motion.change)
    cover[..., 60:66], cover[..., 66:] = torch.linspace(1, 0, 6), 0
    return Motion(shift, motion.change, cover)


@pytest.mark.parametrize(("amount", "column"), [(0.0, 50), (-1.0, 50), (0.25, 55), (0.5, 60), (1.0, 60)])
def test_what_hides_the_lung_is_there_in_full_from_half_of_it(picture, hiding, amount, column):
    result = compose(picture, hiding, change_of(hiding, amount))
    assert abs(border(result) - column) <= 1
    assert torch.equal(result[..., 66:], picture[..., 66:])


def test_a_body_that_hides_the_lung_fades_with_the_mask(picture, hiding):
    mask = torch.full_like(picture, 0.5)
    full, half = (compose(picture, hiding, change_of(hiding, 1.0), own) for own in (torch.ones_like(picture), mask))
    assert torch.allclose(half, (picture + full) / 2, atol=1e-6)


def test_nothing_changes_outside_the_mask_or_where_nothing_moves(picture, motion):
    mask = torch.zeros_like(picture)
    mask[..., 40:90, 20:80] = 1
    result = compose(picture, motion, change_of(motion, 1.0), mask)
    assert torch.equal(result[mask == 0], picture[mask == 0]) and border(result) == 60
    whole = compose(picture, motion, change_of(motion, 1.0))
    still = ~motion.shift.any(dim=1, keepdim=True)
    assert torch.equal(whole[still], picture[still])


def test_strength_is_a_share_of_the_whole_change(picture, motion):
    full, half, none = (compose(picture, motion, change_of(motion, 1.0), strength=s) for s in (1.0, 0.5, 0.0))
    assert torch.equal(none, picture)
    assert torch.allclose(half, (picture + full) / 2, atol=1e-6)


def test_a_second_finding_is_added_beside_what_moves(picture, motion):
    other = torch.zeros_like(picture)
    other[..., 40:60, 100:120] = 0.2
    alone = compose(picture, motion, change_of(motion, 1.0))
    both = compose(picture, motion, change_of(motion, 1.0) + other, extents=motion.change + other)
    added = (both - alone)[0, 0]
    assert added[45:55, 105:115].mean() > 0.1 and added[:, :95].abs().max() < 1e-6


def test_outputs_without_motion_are_composed_as_alone(picture, motion):
    still = Motion(torch.zeros_like(motion.shift), torch.zeros_like(motion.change), motion.cover)
    extents = torch.zeros_like(picture)
    extents[..., 40:60, 100:120] = 0.2
    pair = Motion(
        *(torch.cat([getattr(own, part) for own in (motion, still)]) for part in ("shift", "change", "cover"))
    )
    changes = torch.cat([change_of(motion, 1.0), extents])
    drawn = Drawn(torch.cat([motion.change, extents]), pair)
    both = compose_drawn("saturating", picture.repeat(2, 1, 1, 1), changes, torch.ones(2, 1, SIDE, SIDE), drawn, CELLS)
    without = compose_drawn("saturating", picture, extents, torch.ones_like(picture), Drawn(extents), CELLS)
    assert torch.equal(both[1:], without)


def test_the_grain_stays_where_it_is(picture, motion):
    grain = picture - torch.from_numpy(smooth(picture[0, 0].numpy(), 1.2))
    moved = move_picture(picture[0], motion.shift[0])[None]
    left = moved - torch.from_numpy(smooth(moved[0, 0].numpy(), 1.2))
    flat = (slice(None), slice(None), slice(40, 90), slice(5, 40))  # inside the heart, away from its border
    together = torch.corrcoef(torch.stack([grain[flat].flatten(), left[flat].flatten()]))[0, 1]
    assert together > 0.9


def test_what_moves_is_relevant_as_a_whole():
    relevance = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    moved = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    moved[..., 2:5, 2:5] = True
    whole = as_a_whole(relevance, moved)
    assert torch.equal(whole[~moved], relevance[~moved]) and (whole[moved] == relevance[moved].max()).all()
    assert torch.equal(as_a_whole(relevance, torch.zeros_like(moved)), relevance)


def test_what_moves_belongs_to_the_region(motion):
    still, moving = (region_of_extent(Extent(motion.change, shift)) for shift in (None, motion.shift))
    assert still[0, 0, 60, 30] == 0 and moving[0, 0, 60, 30] > 0 and (moving >= still).all()


def test_a_motion_at_another_size_moves_by_as_much_of_the_picture(motion):
    larger = motion.at((2 * SIDE, 2 * SIDE), 3)
    assert larger.shift.shape == (3, 2, 2 * SIDE, 2 * SIDE)
    assert float(larger.shift.min()) == pytest.approx(2 * float(motion.shift.min()), rel=0.1)


def test_outputs_of_which_none_moves_have_no_motion():
    change = torch.zeros(1, 1, 4, 4)
    assert Motion.of([[Extent(change)], []], change) is None
    joined = Motion.of([[Extent(change)], [Extent(change + 0.1, change.repeat(1, 2, 1, 1) + 2)]], change)
    assert joined is not None and not joined.shift[0].any() and (joined.shift[1] == 2).all()
    assert (joined.cover == 1).all() and not joined.hides(1)
    cover = torch.tensor([1.0, 1.0, 0.5, 0.0]).expand(1, 1, 4, 4)
    over = Motion.of([[Extent(change)], [Extent(change + 0.1, change.repeat(1, 2, 1, 1) + 2, cover=cover)]], change)
    assert over is not None and torch.equal(over.cover[1:], cover) and not over.hides(0) and over.hides(1)
    kept = joined.without(torch.ones(2, 1, 4, 4, dtype=torch.bool))
    assert not kept.shift.any() and not kept.change.any()


def test_leads_stay_straight_in_front_of_what_moves(picture, motion):
    lead = picture.clone()
    lead[..., 40:90, 45:47] = 1.0
    moved = compose(lead, motion, change_of(motion, 1.0))[0, 0, 45:85]
    bright = moved > 0.95
    assert bright[:, 45:47].float().mean() > 0.9
    assert not bright[:, 50:].any()


def test_an_electrode_keeps_its_place_and_shape(picture, motion):
    worn = picture.clone()
    worn[..., 60:64, 62:66] = 0.95
    moved = compose(worn, motion, change_of(motion, 1.0))[0, 0]
    assert (moved[60:64, 62:66] > 0.85).all()
    beside = moved[55:73, 55:80].clone()
    beside[4:10, 6:12] = 0
    assert beside.max() < 0.85


def test_pixels_move_up_and_down_too():
    steps = torch.arange(SIDE).float()[:, None].expand(SIDE, SIDE) / SIDE
    shift = torch.zeros(2, SIDE, SIDE)
    shift[0, 40:80, 40:80] = 6
    moved = move_picture(steps[None], shift)[0]
    assert torch.allclose(moved[45:75, 45:75], steps[51:81, 45:75], atol=0.01)
    assert torch.equal(moved[shift[0] == 0], steps[shift[0] == 0])


@pytest.mark.parametrize("size", [(256, 256), (300, 400), (1000, 1024)])
def test_a_motion_that_hides_nothing_hides_nothing_at_another_size(size):
    shift, flat = torch.ones(1, 2, 300, 384), torch.ones(1, 1, 300, 384)
    assert not Motion(shift, flat, flat).at(size, 1).hides(0)
    assert Motion(shift, flat, 0.5 * flat).at(size, 1).hides(0)
