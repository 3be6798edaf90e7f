"""The window around a region, and what is cut out and put back."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from x2x_core.imaging.crop_window import SMALLEST_SHARE, WHOLE_SHARE, CropWindow, window_around

SIDES = st.integers(2, 120)


def region_of(height, width, draw):
    """A box anywhere in a picture."""
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    bottom, right = draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width))
    region = torch.zeros(height, width, dtype=torch.bool)
    region[top:bottom, left:right] = True
    return region


@settings(max_examples=200, deadline=None)
@given(height=SIDES, width=SIDES, margin=st.floats(0, 0.3), data=st.data())
def test_a_window_holds_the_region_and_its_margin_within_the_picture(height, width, margin, data):
    region, longer = region_of(height, width, data.draw), max(height, width)
    window = window_around(region, margin)
    rows, columns = region.any(1).nonzero(), region.any(0).nonzero()
    extent = max(int(rows[-1] - rows[0]), int(columns[-1] - columns[0])) + 1
    needed = max(extent + 2 * round(margin * longer), round(SMALLEST_SHARE * longer))
    if window is None:
        assert needed >= WHOLE_SHARE * longer
        return
    assert window.size == (min(needed, height), min(needed, width)) and needed < WHOLE_SHARE * longer
    assert 0 <= window.top <= height - window.height and 0 <= window.left <= width - window.width
    assert window.cut_out(region).sum() == region.sum()


@settings(deadline=None)
@given(height=st.integers(40, 120), width=st.integers(40, 120), data=st.data())
def test_a_region_away_from_the_border_lies_in_the_middle(height, width, data):
    region = region_of(height, width, data.draw)
    window = window_around(region, 0.0)
    assume(window is not None)
    rows = region.any(1).nonzero().flatten()
    above, below = int(rows[0]) - window.top, window.top + window.height - 1 - int(rows[-1])
    if 0 < window.top < height - window.height:
        assert 0 <= below - above <= 1 or 0 <= above - below <= 1
    else:
        assert window.top in (0, height - window.height)


def test_an_empty_region_and_nearly_the_whole_picture_have_no_window():
    assert window_around(torch.zeros(50, 60, dtype=torch.bool), 0.1) is None
    region = torch.zeros(100, 80, dtype=torch.bool)
    region[5:95, 10:20] = True
    assert window_around(region, 0.0) is None
    region[94] = False
    assert window_around(region, 0.0) == CropWindow(5, 0, 89, 80)
    assert window_around(region, 0.01) is None


@pytest.mark.parametrize("shape", [(2, 1), (1, 3)])
def test_what_is_cut_out_goes_back_to_its_place(shape):
    images = torch.rand(*shape, 20, 30, generator=torch.Generator().manual_seed(0))
    window = CropWindow(3, 5, 10, 12)
    inside = torch.zeros(20, 30, dtype=torch.bool)
    inside[3:13, 5:17] = True
    back = window.put_back(window.cut_out(images), (20, 30))
    assert torch.equal(back, torch.where(inside, images, 0.0))
    assert window.as_dict() == {"top": 3, "left": 5, "height": 10, "width": 12}
    assert str(window) == "12 x 10 pixels at (5, 3)"
