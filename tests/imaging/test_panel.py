"""Panels: any size and shape, wrapped titles, the notice that the image is synthetic."""

import pytest
import torch

from x2x_core.imaging.panel import FOOTER, PanelStyle, panel

SMALL = PanelStyle(tile=96)


def make_case(height=48, width=64):
    image = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(0)) * 0.5
    guidance = torch.zeros(1, 1, height, width)
    guidance[..., height // 4 : height // 2, width // 4 : width // 2] = 1
    mask = guidance > 0.1
    return image, guidance, mask, image + 0.3 * guidance


@pytest.mark.parametrize(("height", "width"), [(48, 64), (8, 8), (1, 5), (200, 30), (300, 310)])
def test_a_panel_of_any_size_and_shape(height, width):
    picture = panel(*make_case(height, width), "Add the finding of edema.", style=SMALL)
    assert picture.mode == "RGB" and picture.width > 4 * max(1, round(96 * width / max(height, width)))
    assert picture.getpixel((0, 0)) == (255, 255, 255)


def test_a_long_instruction_is_wrapped_and_a_long_word_broken():
    case = make_case()
    short = panel(*case, "Short.", style=SMALL)
    long = panel(*case, "Add the finding of moderate right pleural effusion. " * 4, style=SMALL)
    endless = panel(*case, "x" * 300, style=SMALL)
    assert short.width == long.width == endless.width
    assert short.height < long.height and short.height < endless.height
    assert panel(*case, "", style=SMALL).width == short.width


def test_a_panel_grows_with_its_tile_and_is_the_same_every_time():
    case = make_case()
    small, large = panel(*case, "Title", style=SMALL), panel(*case, "Title", style=PanelStyle(tile=192))
    assert large.width == pytest.approx(2 * small.width, rel=0.06)
    assert panel(*case, "Title", style=SMALL) == small


def test_the_footer_says_that_it_is_synthetic():
    assert "Synthetic" in FOOTER and "research" in FOOTER
    case = make_case()
    assert panel(*case, "Title", style=SMALL) != panel(*case, "Title", footer="", style=SMALL)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: panel(*make_case(), "t", captions=("a",), style=SMALL), "`captions` must have 4 entries"),
        (lambda: PanelStyle(tile=3), "`tile`"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
