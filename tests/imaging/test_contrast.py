"""Pictures in a narrow range of greys: stretched for the model, and edited within their own contrast."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.contrast import NARROW, Contrast
from x2x_core.imaging.files import read_image

SAMPLE = read_image(bundled_path("sample")).pixels


def narrow(low, high):
    return low + (SAMPLE - SAMPLE.min()) / (SAMPLE.max() - SAMPLE.min()) * (high - low)


@pytest.mark.parametrize("pixels", [SAMPLE, SAMPLE * 0.6, 0.4 + SAMPLE * 0.6, SAMPLE**2, torch.full_like(SAMPLE, 0.3)])
def test_an_ordinary_range_and_a_flat_picture_are_left_as_they_are(pixels):
    contrast = Contrast.of(pixels)
    edited = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(0))
    assert not contrast.is_stretched.any()
    assert torch.equal(contrast.to_model(pixels), pixels) and torch.equal(contrast.from_model(edited, pixels), edited)


def test_a_picture_of_80_to_119_shows_its_whole_contrast_to_the_model():
    pixels = narrow(80 / 255, 119 / 255)
    seen = Contrast.of(pixels).to_model(pixels)
    assert seen.min() == 0 and seen.max() == 1
    ordered = seen.flatten()[pixels.flatten().argsort()]
    assert (ordered.diff() >= 0).all()


@settings(max_examples=40, deadline=None)
@given(low=st.floats(0, 0.6), span=st.floats(0.02, NARROW - 0.01), seed=st.integers(0, 99))
def test_an_edit_stays_within_the_pictures_own_range_and_elsewhere_bit_for_bit(low, span, seed):
    pixels = narrow(low, low + span)
    contrast = Contrast.of(pixels)
    edited = contrast.to_model(pixels).clone()
    patch = torch.rand(100, 100, generator=torch.Generator().manual_seed(seed))
    edited[..., 50:150, 50:150] = patch
    found = contrast.from_model(edited, pixels)
    assert found.min() >= pixels.min() and found.max() <= pixels.max()
    outside = torch.ones_like(pixels, dtype=torch.bool)
    outside[..., 50:150, 50:150] = False
    assert torch.equal(found[outside], pixels[outside])
    assert (found != pixels).any()


def test_a_brighter_edit_is_never_darker_in_the_picture():
    pixels = narrow(0.3, 0.5)
    contrast = Contrast.of(pixels)
    seen = contrast.to_model(pixels)
    results = [contrast.from_model((seen + step).clamp(0, 1), pixels) for step in (-0.4, -0.1, 0.0, 0.1, 0.4)]
    assert all((after >= before).all() for before, after in pairwise(results))


def test_labels_and_dead_pixels_do_not_count_and_are_kept():
    pixels = narrow(0.3, 0.45).clone()
    pixels[..., :5, :5], pixels[..., -5:, -5:] = 1, 0
    contrast = Contrast.of(pixels)
    assert contrast.is_stretched.all()
    assert torch.equal(contrast.from_model(contrast.to_model(pixels), pixels), pixels)


def test_pictures_of_a_batch_are_measured_one_by_one():
    pixels = torch.cat([SAMPLE, narrow(0.3, 0.45)])
    contrast = Contrast.of(pixels)
    assert contrast.is_stretched.flatten().tolist() == [False, True]
    assert contrast[[1, 1, 0]].is_stretched.flatten().tolist() == [True, True, False]
    assert torch.equal(contrast.to_model(pixels)[:1], SAMPLE)
