"""The canvases of a batch, with and without windows."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.canvases import Canvases
from x2x_core.imaging.crop_window import CropWindow


@st.composite
def placements(draw):
    """A picture's canvas, and one of a window of it."""
    height, width = draw(st.integers(2, 120)), draw(st.integers(2, 120))
    tall, wide = draw(st.integers(1, height)), draw(st.integers(1, width))
    top, left = draw(st.integers(0, height - tall)), draw(st.integers(0, width - wide))
    canvas = Canvas.square((height, width), 64, 8)
    return canvas, canvas.on(CropWindow(top, left, tall, wide))


@settings(max_examples=60, deadline=None)
@given(placements(), st.integers(0, 99))
def test_a_window_is_placed_as_a_picture_of_its_own(placement, seed):
    canvas, cropped = placement
    window, image = cropped.window, torch.rand(2, 1, *canvas.size, generator=seeded(seed))
    alone = Canvas.square(window.size, 64, 8)
    assert (cropped.pixels, cropped.cells) == (canvas.pixels, canvas.cells)
    assert torch.equal(cropped.place(image), alone.place(window.cut_out(image)))
    assert torch.equal(cropped.shown_cells(), alone.shown_cells())
    assert torch.equal(cropped.cells_of(image > 0.8), alone.cells_of(window.cut_out(image > 0.8)))
    content = torch.rand(2, 1, 64, 64, generator=seeded(seed))
    back = cropped.cut(content)
    assert back.shape == image.shape and torch.equal(window.cut_out(back), alone.cut(content))
    assert window.put_back(window.cut_out(back), canvas.size).equal(back)  # 0 outside


@pytest.mark.parametrize("window", [CropWindow(0, 0, 64, 64), CropWindow(36, 56, 64, 64), CropWindow(10, 20, 64, 40)])
def test_a_window_of_the_canvas_size_comes_back_bit_for_bit(window):
    image = torch.rand(1, 3, 100, 120, generator=seeded())
    cropped = Canvas.square((100, 120), 64, 4).on(window)
    assert torch.equal(window.cut_out(cropped.cut(cropped.place(image))), window.cut_out(image))


def test_no_window_is_the_same_canvas():
    canvas = Canvas.square((100, 120), 64, 4)
    assert canvas.on(None) is canvas


@settings(max_examples=60, deadline=None)
@given(placements(), st.integers(0, 99), st.floats(0, 0.2))
def test_the_cells_of_a_mask_in_a_window_cover_it(placement, seed, share):
    _, cropped = placement
    mask = torch.rand(1, 1, *cropped.size, generator=seeded(seed)) < share
    inside = cropped.window.put_back(cropped.window.cut_out(mask), cropped.size)
    back = cropped.cut(cropped.cells_of(mask).float().repeat_interleave(8, 2).repeat_interleave(8, 3))
    assert (back[inside] > 0).all()


def test_a_batch_is_its_outputs_one_by_one():
    whole = Canvas.square((50, 80), 64, 8)
    each = (whole, whole.on(CropWindow(10, 0, 40, 40)), whole, whole.on(CropWindow(0, 16, 50, 64)))
    image, mask = torch.rand(4, 2, 50, 80, generator=seeded()), torch.rand(4, 1, 50, 80, generator=seeded(1)) > 0.9
    content = torch.rand(4, 2, 64, 64, generator=seeded(2))
    for batch in (Canvases(each), Canvases((whole,) * 4)):
        own = batch.each
        assert (batch.pixels, batch.cells) == ((64, 64), (8, 8))
        for name, values in (("place", image), ("cut", content), ("cells_of", mask)):
            expected = [getattr(canvas, name)(values[[number]]) for number, canvas in enumerate(own)]
            assert torch.equal(getattr(batch, name)(values), torch.cat(expected))
    assert Canvases(each).groups() == [(whole, [0, 2]), (each[1], [1]), (each[3], [3])]
    assert Canvases(each).windows == [None, each[1].window, None, each[3].window]
    assert Canvases(each).shares == [1, 0.5, 1, 0.8]
    assert Canvases((whole,) * 4).windows is Canvases((whole,) * 4).shares is None
