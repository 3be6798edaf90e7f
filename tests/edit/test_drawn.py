"""The record of what is drawn of the findings of several outputs."""

import pytest
import torch

from x2x_core.edit.drawn import Drawn
from x2x_core.pseudomasks.extents import Extent, body_pixels

SIDE = 64


def extent(rows, amount=0.2, is_body=False, shift=None):
    change = torch.zeros(1, 1, SIDE, SIDE)
    change[..., rows, 10:40] = amount
    return Extent(change, shift, is_body)


@pytest.fixture
def like():
    return torch.zeros(2, 1, SIDE, SIDE)


def test_bodies_are_the_pixels_in_which_a_body_changes_most(like):
    opacity, fluid = extent(slice(10, 40), 0.2), extent(slice(30, 60), 0.3, is_body=True)
    drawn = Drawn.of([[opacity, fluid], [opacity]], like)
    assert drawn.bodies[0, 0, :, 20].nonzero().flatten().tolist() == list(range(30, 60))
    assert not drawn.bodies[1].any()
    assert drawn.known.tolist() == [True, True]


def test_without_a_body_or_motion_nothing_is_a_whole(like):
    drawn = Drawn.of([[extent(slice(10, 40))], []], like)
    assert drawn.bodies is None and drawn.motion is None and drawn.wholes is None
    assert drawn.known.tolist() == [True, False] and not drawn.extents[1].any()


def test_a_body_is_relevant_as_far_as_it_is_visible(like):
    faint = extent(slice(30, 60), 0.3, is_body=True)
    faint.change[..., 50:60, :] *= 0.001
    drawn = Drawn.of([[faint], []], like)
    assert drawn.wholes[0, 0, :, 20].nonzero().flatten().tolist() == list(range(30, 50))
    assert torch.equal(drawn.wholes, body_pixels(drawn.extents))


def test_what_moves_is_a_whole_too(like):
    shift = torch.zeros(1, 1, SIDE, SIDE)
    shift[..., 10:20, 10:40] = 3.0
    drawn = Drawn.of([[extent(slice(10, 20), shift=shift)], [extent(slice(30, 60), 0.3, is_body=True)]], like)
    assert torch.equal(drawn.wholes[0], shift[0] != 0)
    assert drawn.wholes[1, 0, 40, 20] and not drawn.wholes[1, 0, 15, 20]


def test_nothing_is_drawn_in_what_must_stay(like):
    keep = torch.zeros(2, 1, SIDE, SIDE, dtype=torch.bool)
    keep[..., 20:] = True
    drawn = Drawn.of([[extent(slice(10, 40), is_body=True)], []], like).without(keep)
    assert not drawn.extents[keep].any() and not drawn.bodies[keep].any() and drawn.extents.any()


def test_it_is_enlarged_and_expanded_with_the_picture():
    one = Drawn.of([[extent(slice(10, 40), is_body=True)]], torch.zeros(1, 1, SIDE, SIDE))
    large = one.at((2 * SIDE, 2 * SIDE), 3)
    assert large.extents.shape == large.bodies.shape == (3, 1, 2 * SIDE, 2 * SIDE)
    assert large.bodies[2, 0, 40, 40] and not large.bodies[2, 0, 100, 40]
    assert large.shares.amax() == pytest.approx(1)
