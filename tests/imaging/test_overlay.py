"""Overlays that explain an edit: colours in the right places, and only there."""

import numpy as np
import pytest
import torch

from x2x_core.imaging.drawing import RED
from x2x_core.imaging.overlay import (
    CONTOUR_COLOUR,
    difference_map,
    guidance_colormap,
    guidance_overlay,
    mask_contour,
)


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


def test_equal_images_give_a_white_difference_map():
    image = torch.full((1, 1, 8, 8), 0.5)
    picture, limit = difference_map(image, image)
    assert limit == 0.05 and np.asarray(picture).min() == 255


def test_a_map_of_latent_size_is_stretched_over_the_image():
    image = make_case(64, 64)[0]
    latent = torch.zeros(1, 1, 8, 8)
    latent[..., 4:, :] = 1
    values = np.asarray(guidance_overlay(image, latent)).astype(int)
    assert values[60, 30].tolist() == list(RED) and values[2, 30, 0] == values[2, 30, 1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: guidance_overlay(torch.ones(4, 4), torch.ones(4, 4) * 3), "`guidance_map` must lie in"),
        (lambda: guidance_overlay(torch.ones(4, 4), torch.ones(4, 4), fade=2), "`fade`"),
        (lambda: difference_map(torch.ones(4, 4), torch.ones(4, 5)), "must be of one size"),
        (lambda: difference_map(torch.ones(4, 4), torch.ones(4, 4), limit=0), "`limit`"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
