"""Pictures that explain an edit: colours where they belong, any size, any form of input."""

import numpy as np
import pytest
import torch
from PIL import Image

from x2x_core.imaging.overlay import (
    CONTOUR_COLOUR,
    FOOTER,
    RED,
    PanelStyle,
    as_rgb,
    color_bar,
    difference_map,
    guidance_colormap,
    guidance_overlay,
    mask_contour,
    panel,
)

SMALL = PanelStyle(tile=96)


def make_case(height=48, width=64):
    image = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(0)) * 0.5
    guidance = torch.zeros(1, 1, height, width)
    guidance[..., height // 4 : height // 2, width // 4 : width // 2] = 1
    mask = guidance > 0.1
    return image, guidance, mask, image + 0.3 * guidance


def test_guidance_is_red_and_the_rest_is_the_faded_radiograph():
    image, guidance, _, _ = make_case()
    values = np.asarray(guidance_overlay(image, guidance, fade=0.5))
    assert values.shape == (48, 64, 3) and values[14, 20].tolist() == list(RED)
    expected = torch.round((image[0, 0, 0, 0] * 0.5 + 0.5) * 255)
    assert values[0, 0].tolist() == [int(expected)] * 3


def test_a_map_of_zeros_without_fading_leaves_the_radiograph():
    image = make_case()[0]
    plain = np.round(image[0, 0].numpy() * 255)
    for picture in (
        guidance_overlay(image, torch.zeros_like(image), fade=0),
        guidance_colormap(image, torch.zeros_like(image), legend=False),
        mask_contour(image, torch.zeros_like(image)),
    ):
        assert np.array_equal(np.asarray(picture)[..., 0], plain)


def test_the_colour_map_has_a_legend_beside_it():
    image, guidance, _, _ = make_case(64, 64)
    plain, wide = guidance_colormap(image, guidance, legend=False), guidance_colormap(image, guidance)
    assert plain.size == (64, 64) and wide.height == 64 and wide.width > 64
    assert np.array_equal(np.asarray(wide)[:, :64], np.asarray(plain))
    marked = guidance_colormap(image, guidance, mask_threshold=0.1)
    assert marked != wide


def test_the_colour_bar_runs_from_bottom_to_top():
    values = np.asarray(color_bar(200, lambda share: share[..., None].repeat(3, axis=-1), ("0", "1")))
    column = values[20:180, 10].mean(axis=-1)
    assert column[0] > column[-1]


def test_the_contour_runs_along_the_mask_and_nowhere_else():
    image, _, mask, _ = make_case()
    values = np.asarray(mask_contour(image, mask, thickness=1))
    drawn = (values != np.asarray(mask_contour(image, torch.zeros_like(mask)))).any(axis=-1)
    assert drawn[12, 20] and drawn[23, 20] and not drawn[18, 24] and not drawn[:8].any()
    assert abs(values[12, 20].astype(int) - CONTOUR_COLOUR).max() < 90  # antialiased, but yellow


def test_the_difference_is_red_where_brighter_blue_where_darker():
    before = torch.full((1, 1, 8, 8), 0.5)
    after = before.clone()
    after[..., :4, :4] += 0.2
    after[..., 4:, 4:] -= 0.2
    picture, limit = difference_map(before, after)
    values = np.asarray(picture).astype(int)
    assert limit == pytest.approx(0.2)
    assert values[0, 0, 0] > values[0, 0, 2] and values[7, 7, 2] > values[7, 7, 0]
    assert values[0, 7].tolist() == [255, 255, 255]


def test_no_difference_is_white_and_not_stretched_noise():
    image = torch.full((1, 1, 8, 8), 0.5)
    picture, limit = difference_map(image, image)
    assert limit == 0.05 and np.asarray(picture).min() == 255


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
    "image",
    [
        torch.full((1, 1, 4, 6), 0.4),
        torch.full((3, 4, 6), 0.4, dtype=torch.float64),
        torch.full((4, 6), 0.4, dtype=torch.bfloat16),
        torch.full((1, 4, 6), 102, dtype=torch.uint8),
        np.full((4, 6), 0.4),
        np.full((4, 6, 3), 102, np.uint8),
        np.full((4, 6), 26214, np.uint16),
        Image.new("L", (6, 4), 102),
        Image.new("RGBA", (6, 4), (102, 102, 102, 255)),
        Image.fromarray(np.full((4, 6), 26214, np.uint16)),
    ],
)
def test_images_in_any_form(image):
    values = as_rgb(image)
    assert values.shape == (4, 6, 3) and values.dtype == np.float32
    assert values == pytest.approx(0.4, abs=2e-3)


def test_a_map_of_latent_size_is_stretched_over_the_image():
    image = make_case(64, 64)[0]
    latent = torch.zeros(1, 1, 8, 8)
    latent[..., 4:, :] = 1
    values = np.asarray(guidance_overlay(image, latent)).astype(int)
    assert values[60, 30].tolist() == list(RED) and values[2, 30, 0] == values[2, 30, 1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: as_rgb(torch.ones(2, 1, 4, 4)), "must be one image, got a batch of 2"),
        (lambda: as_rgb(torch.full((4, 4), 2.0)), "must lie in \\[0, 1\\], got 2 to 2"),
        (lambda: as_rgb(torch.full((4, 4), torch.nan)), "must lie in \\[0, 1\\]"),
        (lambda: as_rgb(np.ones((4, 4, 2))), "1 or 3 channels"),
        (lambda: as_rgb(np.ones((0, 4))), "must be one image"),
        (lambda: as_rgb("a.png"), "must be a tensor, an array or a picture, got str"),
        (lambda: guidance_overlay(torch.ones(4, 4), torch.ones(4, 4) * 3), "`guidance_map` must lie in"),
        (lambda: guidance_overlay(torch.ones(4, 4), torch.ones(4, 4), fade=2), "`fade`"),
        (lambda: difference_map(torch.ones(4, 4), torch.ones(4, 5)), "must be of one size"),
        (lambda: difference_map(torch.ones(4, 4), torch.ones(4, 4), limit=0), "`limit`"),
        (lambda: panel(*make_case(), "t", captions=("a",), style=SMALL), "`captions` must be 4"),
        (lambda: PanelStyle(tile=3), "`tile`"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
