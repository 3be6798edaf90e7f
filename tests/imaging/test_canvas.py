"""Pictures on the model's canvas, and back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.geometry import Padding

SIDES = st.integers(1, 150)
CELLS = st.sampled_from([1, 4, 8])


@given(height=SIDES, width=SIDES, cell=CELLS)
def test_a_picture_of_any_size_fits_on_the_square_canvas(height, width, cell):
    canvas = Canvas.square((height, width), 64, cell)
    placed = canvas.place(torch.rand(2, 1, height, width, generator=seeded()))
    assert placed.shape == (2, 1, 64, 64) and canvas.pixels == (64, 64) and canvas.cells == (64 // cell, 64 // cell)
    assert canvas.cut(placed).shape == (2, 1, height, width)


@pytest.mark.parametrize("size", [(64, 64), (64, 40), (31, 64)])
def test_a_picture_of_the_canvas_size_comes_back_bit_for_bit(size):
    canvas, image = Canvas.square(size, 64, 4), torch.rand(1, 3, *size, generator=seeded())
    assert torch.equal(canvas.cut(canvas.place(image)), image)


@settings(max_examples=60)
@given(height=st.integers(2, 150), width=st.integers(2, 150), seed=st.integers(0, 99), share=st.floats(0, 0.2))
def test_the_cells_of_a_mask_cover_it(height, width, seed, share):
    canvas = Canvas.square((height, width), 64, 8)
    mask = torch.rand(1, 1, height, width, generator=seeded(seed)) < share
    cells = canvas.cells_of(mask)
    assert cells.shape == (1, 1, 8, 8) and bool(cells.any()) == bool(mask.any())
    back = canvas.cut(cells.float().repeat_interleave(8, 2).repeat_interleave(8, 3))
    assert (back[mask] > 0).all()


def test_cells_of_padding_alone_are_not_shown():
    canvas = Canvas.square((20, 64), 64, 8)
    assert canvas.padding == Padding(top=22, bottom=22)
    shown = canvas.shown_cells()
    assert shown[2:6].all() and not shown[:2].any() and not shown[6:].any()
    assert Canvas.square((64, 64), 64, 8).shown_cells().all()


@given(height=SIDES, width=SIDES, cell=CELLS)
def test_a_canvas_of_its_own_is_cut_to_whole_cells_and_never_huge(height, width, cell):
    canvas = Canvas.own((height, width), 32, cell)
    assert max(canvas.pixels) <= max(64, cell)
    assert all(side % cell == 0 and side >= cell for side in canvas.pixels)
    if max(height, width) <= 64:
        assert canvas.pixels == tuple(max(cell, side // cell * cell) for side in (height, width))


@pytest.mark.parametrize("size", [(64, 64), (64, 40), (31, 64)])
@pytest.mark.parametrize(
    "part", [(slice(8, 40), slice(16, 48)), (slice(16, 64), slice(0, 24)), (slice(0, 64), slice(8, 16))]
)
def test_a_part_of_a_canvas_shows_the_same_pixels(size, part):
    canvas, image = Canvas.square(size, 64, 8), torch.rand(1, 1, *size, generator=seeded())
    rows, columns = part
    shown = canvas.part(rows, columns)
    assert torch.equal(shown.place(image), canvas.place(image)[..., rows, columns])
    assert shown.pixels == (rows.stop - rows.start, columns.stop - columns.start)


@given(height=st.integers(64, 300), width=st.integers(64, 300), top=st.integers(3, 4), left=st.integers(3, 4))
def test_a_part_is_a_window_of_the_picture_at_the_same_scale(height, width, top, left):
    canvas = Canvas.square((height, width), 64, 8)
    part = canvas.part(slice(8 * top, 48), slice(8 * left, 48))
    assert part.pixels == (48 - 8 * top, 48 - 8 * left)
    window, size = part.window, (height, width)
    for axis in (0, 1):
        assert abs(window.size[axis] / part.inner[axis] - size[axis] / canvas.inner[axis]) <= 1.001 / part.inner[axis]
    assert window.top + window.height <= height and window.left + window.width <= width
