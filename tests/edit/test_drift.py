"""The drift of greys outside a mask, continued into it."""

import pytest
import torch
from tiny_models import seeded

from x2x_core.edit.drift import drift_of

SIZE = (48, 64)


def square():
    mask = torch.zeros(1, 1, *SIZE, dtype=torch.bool)
    mask[..., 16:32, 20:44] = True
    return mask


def test_no_change_outside_is_no_drift():
    change = torch.rand(1, 3, *SIZE, generator=seeded(0)) * square()
    assert torch.equal(drift_of(change, square()), torch.zeros_like(change))


@pytest.mark.parametrize("shift", [0.1, -0.03])
def test_a_shift_of_the_whole_picture_is_found_whatever_is_inside(shift):
    inside = torch.rand(1, 3, *SIZE, generator=seeded(1)) * square()
    colours = shift * torch.tensor([1.0, 0.5, 0.0])[:, None, None]
    assert torch.allclose(drift_of(colours + inside, square()), colours.expand(1, -1, *SIZE), atol=1e-5)


def test_a_drift_that_varies_goes_on_at_the_edge_of_the_mask():
    """A ramp from left to right: just inside each edge it is nearer to that side's value than to the mean."""
    ramp = torch.linspace(0, 1, SIZE[1]).expand(1, 1, *SIZE)
    drift = drift_of(torch.where(square(), torch.tensor(-1.0), ramp), square())
    for column in (20, 43):
        assert abs(drift[0, 0, 24, column] - ramp[0, 0, 24, column]) < 0.1
    assert drift[0, 0, 24, 20] < drift[0, 0, 24, 32] < drift[0, 0, 24, 43]


def test_pictures_of_a_batch_are_apart_and_a_covered_one_has_none():
    change = torch.stack([torch.full((1, *SIZE), value) for value in (0.2, 0.4, 0.6)])
    mask = torch.cat([square(), torch.ones_like(square()), ~square()])
    drift = drift_of(change, mask)
    for number, value in enumerate((0.2, 0.0, 0.6)):
        assert torch.allclose(drift[number], torch.tensor(value), atol=1e-5)
    kept = change.clone()
    drift.add_(1)
    assert torch.equal(change, kept)
