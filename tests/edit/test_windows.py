"""Windows of the latents around masks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core.edit.windows import SMALLEST_SHARE, Windows, windows_around


def cells(*boxes, size=(32, 32)):
    """Masks with a box of (top, bottom, left, right) each; ``None`` is an empty one."""
    masks = torch.zeros(len(boxes), 1, *size, dtype=torch.bool)
    for mask, box in zip(masks, boxes):
        if box is not None:
            mask[..., box[0] : box[1], box[2] : box[3]] = True
    return masks


def test_a_window_is_the_mask_with_its_context():
    assert windows_around(cells((8, 16, 4, 12)), 4, 1) == Windows(((4, 0),), (16, 16), (32, 32))
    assert windows_around(cells((9, 15, 9, 15)), 4, 4) == Windows(((4, 4),), (16, 16), (32, 32))  # to multiples of 4


def test_a_small_mask_gets_the_smallest_window():
    windows = windows_around(cells((31, 32, 0, 1)), 0, 1)
    assert windows.size == (32 * SMALLEST_SHARE,) * 2 and windows.corners == ((24, 0),)


def test_several_regions_are_in_one_window():
    mask = cells((2, 4, 2, 4)) | cells((2, 4, 18, 20))
    assert windows_around(mask, 2, 2) == Windows(((0, 0),), (8, 22), (32, 32))


def test_a_mask_of_the_whole_canvas_needs_no_window():
    assert windows_around(cells((0, 32, 0, 32)), 0, 8) is None
    assert windows_around(cells((14, 18, 14, 18)), 32, 8) is None


boxes = st.tuples(*[st.integers(0, 31)] * 4).map(
    lambda sides: (min(sides[:2]), max(sides[:2]) + 1, min(sides[2:]), max(sides[2:]) + 1)
)


@settings(max_examples=60)
@given(st.lists(st.none() | boxes, min_size=1, max_size=3), st.integers(0, 6), st.sampled_from([1, 2, 4, 8]))
def test_every_window_holds_its_mask_and_context(chosen, context, step):
    masks = cells(*chosen)
    windows = windows_around(masks, context, step)
    if windows is None:
        return
    for number, box in enumerate(chosen):
        for axis, part in enumerate(windows.slices(number)):
            assert part.start % step == part.stop % step == 0 and part.start >= 0 and part.stop <= 32
            assert part.stop - part.start >= 32 * SMALLEST_SHARE
            if box is not None:
                first, last = box[2 * axis : 2 * axis + 2]
                assert part.start <= max(first - context, 0) and part.stop >= min(last + context, 32)
    inside = windows.cut(masks)
    assert inside.sum() == masks.sum()
    assert torch.equal(windows.paste(inside, torch.zeros_like(masks)), masks)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 10)), min_size=1, max_size=3), st.integers(0, 20))
def test_grown_windows_hold_their_margin_and_stay_on_the_canvas(corners, margin):
    windows = Windows(tuple(corners), (4, 6), (16, 16))
    grown = windows.grown(margin)
    assert grown.size == (min(4 + 2 * margin, 16), min(6 + 2 * margin, 16)) and grown.whole == windows.whole
    for number in range(len(corners)):
        for inner, outer in zip(windows.slices(number), grown.slices(number)):
            assert 0 <= outer.start <= max(inner.start - margin, 0)
            assert min(inner.stop + margin, 16) <= outer.stop <= 16


@pytest.mark.parametrize("branches", [1, 3])
def test_contents_are_cut_branch_by_branch(branches):
    windows = Windows(((0, 4), (2, 0)), (4, 4), (8, 8))
    values = torch.arange(branches * 2 * 64).view(branches * 2, 1, 8, 8)
    cut = windows.cut(values)
    for number in range(branches * 2):
        rows, columns = windows.slices(number % 2)
        assert torch.equal(cut[number], values[number, :, rows, columns])


def test_pasting_leaves_the_rest_and_the_argument_alone():
    windows = Windows(((2, 3),), (4, 4), (8, 8))
    onto, contents = torch.ones(1, 2, 8, 8), torch.full((1, 2, 4, 4), 5.0)
    pasted = windows.paste(contents, onto)
    assert (onto == 1).all() and torch.equal(windows.cut(pasted), contents) and (pasted == 1).sum() == 2 * (64 - 16)
    assert (windows.paste(contents) == 0).sum() == 2 * (64 - 16)


def test_scaled_windows_are_the_same_places():
    windows = Windows(((2, 3),), (4, 5), (8, 8)).scaled(4)
    assert windows == Windows(((8, 12),), (16, 20), (32, 32))
