"""Geometry: what is padded is cropped back exactly; what is resampled keeps its range."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core.imaging.geometry import (
    Padding,
    crop,
    fit_size,
    fit_to,
    pad,
    pad_to_multiple,
    pad_to_square,
    padding_to_multiple,
    resize,
)

SIDES = st.integers(1, 40)
DTYPES = st.sampled_from([torch.float32, torch.float64, torch.uint8, torch.bool])


def make_image(height, width, channels=1, dtype=torch.float32):
    draws = torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(height * 100 + width))
    return (
        draws.to(dtype) if dtype.is_floating_point else (draws * 200 if dtype != torch.bool else draws > 0.5).to(dtype)
    )


@given(height=SIDES, width=SIDES, edges=st.tuples(*[st.integers(0, 70)] * 4), dtype=DTYPES)
def test_cropping_undoes_padding(height, width, edges, dtype):
    image, padding = make_image(height, width, dtype=dtype), Padding(*edges)
    padded = pad(image, padding)
    assert padded.shape[-2:] == (height + edges[1] + edges[3], width + edges[0] + edges[2])
    assert padded.dtype == dtype
    assert torch.equal(crop(padded, padding), image)


@given(height=SIDES, width=SIDES, multiple=st.integers(1, 64))
def test_padding_to_a_multiple_is_the_least_and_is_undone(height, width, multiple):
    image = make_image(height, width, channels=3)
    padded, padding = pad_to_multiple(image, multiple)
    for old, new in zip((height, width), padded.shape[-2:]):
        assert new % multiple == 0 and 0 <= new - old < multiple
    assert torch.equal(crop(padded, padding), image)


@given(height=SIDES, width=SIDES)
def test_padding_to_a_square_is_undone(height, width):
    image = make_image(height, width)
    square, padding = pad_to_square(image)
    assert square.shape[-1] == square.shape[-2] == max(height, width)
    assert torch.equal(crop(square, padding), image)


@given(height=SIDES, width=SIDES)
def test_padding_repeats_the_border(height, width):
    padded = pad(make_image(height, width), Padding(3, 2, 4, 5))
    assert torch.equal(padded[..., 0, :], padded[..., 2, :])
    assert torch.equal(padded[..., -1], padded[..., -5])


@settings(deadline=None)
@given(height=SIDES, width=SIDES, resolution=st.integers(1, 64))
def test_fitting_keeps_the_shape_of_the_picture(height, width, resolution):
    image = make_image(height, width)
    square, padding = fit_to(image, resolution)
    inner = crop(square, padding)
    assert square.shape[-2:] == (resolution, resolution)
    assert inner.shape[-2:] == fit_size((height, width), resolution)
    assert abs(inner.shape[-2] / resolution - height / max(height, width)) <= 1 / resolution
    assert resize(inner, (height, width)).shape == image.shape


@settings(deadline=None)
@given(height=SIDES, width=SIDES, new_height=SIDES, new_width=SIDES)
def test_resampling_stays_in_the_images_range(height, width, new_height, new_width):
    image = make_image(height, width)
    resized = resize(image, (new_height, new_width))
    assert resized.shape[-2:] == (new_height, new_width)
    assert resized.min() >= image.min() - 1e-6 and resized.max() <= image.max() + 1e-6


def test_shrinking_averages_and_does_not_skip():
    stripes = torch.zeros(1, 1, 64, 64)
    stripes[..., ::2] = 1
    assert (resize(stripes, (8, 8)) - 0.5).abs().max() < 0.07


def test_growing_is_smooth():
    ramp = torch.linspace(0, 1, 8).expand(1, 1, 8, 8)
    steps = resize(ramp, (8, 64))[0, 0, 0].diff()
    assert steps.min() >= -1e-6 and steps.max() < 0.03


def test_an_image_of_the_right_size_is_returned_unchanged():
    image = make_image(5, 7)
    assert resize(image, (5, 7)) is image
    assert pad_to_multiple(image, 1)[0] is image


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pad(torch.ones(3, 3), Padding(1)), "`image` must be a tensor \\(B, C, H, W\\)"),
        (lambda: Padding(-1), "`Padding` must not be negative"),
        (lambda: crop(make_image(4, 4), Padding(2, 0, 2, 0)), "`padding` must leave some of the 4x4 image"),
        (lambda: resize(make_image(4, 4), (0, 4)), "`size` must be"),
        (lambda: resize(make_image(4, 4), (4.5, 4)), "`size` must be"),
        (lambda: resize(make_image(4, 4).to(torch.uint8), (2, 2)), "must be floating point"),
        (lambda: fit_size((4, 4), 0), "`resolution` must be at least 1"),
        (lambda: padding_to_multiple((4, 4), 0), "`multiple` must be at least 1"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("width", [1, 2, 7])
@pytest.mark.parametrize("size", [(3, 1), (1, 1), (9, 1)])
def test_a_single_column_is_resampled_as_a_single_row_is(width, size):
    image = torch.rand(2, 3, 9, width, generator=torch.Generator().manual_seed(0))
    upright, lying = resize(image, size), resize(image.transpose(-1, -2).contiguous(), size[::-1])
    assert torch.allclose(upright, lying.transpose(-1, -2), atol=1e-6)
    steps = torch.arange(9.0).view(1, 1, 9, 1)
    assert torch.allclose(resize(steps / 8, (3, 1)).flatten(), torch.tensor([1.0, 4.0, 7.0]) / 8, atol=0.05)
