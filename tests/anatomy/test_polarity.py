"""Inverted films are noticed by their lungs, which are brighter than the tissue around them."""

import logging
from dataclasses import replace

import pytest
import torch

from x2x_core.anatomy.alignment import INVERTED, align_image
from x2x_core.anatomy.lungs import LungFinder
from x2x_core.anatomy.polarity import is_inverted, lung_contrast
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image


@pytest.fixture(scope="module")
def sample():
    return read_image(bundled_path("sample")).pixels


@pytest.fixture(scope="module")
def lungs(sample):
    return LungFinder.bundled().find(sample)


def test_the_sample_is_not_inverted_and_its_inverse_is(sample, lungs):
    assert lung_contrast(sample, lungs) > 0.3 and not is_inverted(sample, lungs)
    assert lung_contrast(1 - sample, lungs) == pytest.approx(-lung_contrast(sample, lungs), abs=0.01)
    assert is_inverted(1 - sample, lungs)


@pytest.mark.parametrize(("scale", "offset"), [(0.15, 0.3), (0.5, 0.5), (0.02, 0.9), (0.02, 0)])
def test_the_contrast_and_brightness_of_the_picture_do_not_matter(sample, lungs, scale, offset):
    assert lung_contrast(sample * scale + offset, lungs) == pytest.approx(lung_contrast(sample, lungs), abs=1e-3)
    assert is_inverted((1 - sample) * scale + offset, lungs)


@pytest.mark.parametrize("gamma", [0.4, 0.7, 1.5, 2.5])
def test_the_tone_curve_does_not_matter(sample, lungs, gamma):
    assert not is_inverted(sample**gamma, lungs) and is_inverted((1 - sample) ** gamma, lungs)


def test_one_lung_is_enough(sample, lungs):
    one = replace(lungs, left=torch.zeros_like(lungs.left))
    assert not is_inverted(sample, one) and is_inverted(1 - sample, one)


def test_no_warning_without_lungs_or_greys(sample, lungs):
    none = replace(lungs, left=torch.zeros_like(lungs.left), right=torch.zeros_like(lungs.right))
    assert lung_contrast(1 - sample, none) == 0 and not is_inverted(1 - sample, none)
    assert lung_contrast(torch.full_like(sample, 0.4), lungs) == 0
    everywhere = replace(lungs, left=torch.ones_like(lungs.left))
    assert lung_contrast(1 - sample, everywhere) == 0


def test_colour_counts_by_its_mean(sample, lungs):
    assert lung_contrast(sample.expand(-1, 3, -1, -1), lungs) == pytest.approx(lung_contrast(sample, lungs), abs=1e-6)


def test_an_alignment_warns_that_the_picture_looks_inverted(sample, caplog):
    with caplog.at_level(logging.WARNING):
        plain = align_image(sample)
    assert plain.fitted and INVERTED not in plain.note and not caplog.records
    with caplog.at_level(logging.WARNING):
        inverted = align_image(1 - sample)
    assert inverted.fitted and inverted.note.endswith(INVERTED) and INVERTED in inverted.as_dict()["note"]
    assert INVERTED in caplog.text and "invert the picture and edit it again" in caplog.text
