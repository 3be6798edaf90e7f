"""Frechet distance: between Gaussians in closed form, and against scipy's matrix root."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from x2x_core.evaluation.metrics.bootstrap import draw_counts
from x2x_core.evaluation.metrics.fid_interval import MOST_FEATURES, fid_with_interval
from x2x_core.evaluation.metrics.frechet import fid, frechet_distance, gaussian_of


def features(n, d, seed, shift=0.0, scale=1.0):
    return shift + scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_gaussians_of_one_axis_in_closed_form():
    # (m1 - m2)^2 + (s1 - s2)^2
    one, two = ((torch.tensor([m]), torch.tensor([[s * s]])) for m, s in ((1.0, 2.0), (4.0, 0.5)))
    assert frechet_distance(one, two) == pytest.approx(3.0**2 + 1.5**2)


def test_gaussians_with_common_axes_in_closed_form():
    turn = torch.linalg.qr(features(3, 3, 0)).Q
    sigmas, others = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([2.0, 2.0, 0.0]).double()
    one = torch.zeros(3).double(), turn @ torch.diag(sigmas**2) @ turn.T
    two = torch.tensor([1.0, 0, 2]).double(), turn @ torch.diag(others**2) @ turn.T
    assert frechet_distance(one, two) == pytest.approx(5 + float((sigmas - others).square().sum()))


def test_it_is_that_of_the_matrix_root():
    first, second = features(200, 6, 1), features(150, 6, 2, 0.3) @ features(6, 6, 3)
    (m1, s1), (m2, s2) = ((f.mean(0).numpy(), np.cov(f.numpy(), rowvar=False)) for f in (first, second))
    expected = ((m1 - m2) ** 2).sum() + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)
    assert fid(first, second) == pytest.approx(expected, rel=1e-8)


def test_large_samples_of_known_gaussians_come_near_the_closed_form():
    assert fid(features(20_000, 2, 1), features(20_000, 2, 2, 1.0, 3.0)) == pytest.approx(2 * 1 + 2 * 4, rel=0.05)


def test_the_same_set_has_no_distance_even_with_fewer_images_than_features():
    few = features(5, 20, 0)
    assert fid(few, few) == pytest.approx(0, abs=1e-5)
    mean, spread = gaussian_of(few)
    assert torch.allclose(spread, torch.cov(few.T)) and torch.allclose(mean, few.mean(0))


def test_the_interval_lies_about_the_figure_and_narrows_with_more_images():
    widths = []
    for n in (60, 600):
        counts = draw_counts(list(range(n)), torch.Generator().manual_seed(0))
        found = fid_with_interval(features(n, 3, 1), features(n, 3, 2, 0.5), counts)
        assert found.low <= found.value <= found.high and found.n == n
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2


def test_what_has_no_interval_says_so():
    counts = draw_counts([0, 1, 2], torch.Generator().manual_seed(0))
    many = fid_with_interval(torch.rand(3, MOST_FEATURES + 1), torch.rand(3, MOST_FEATURES + 1), counts)
    assert many.value is not None and many.low is None and "no interval" in many.note
    alone = fid_with_interval(torch.rand(1, 2), torch.rand(1, 2), counts[:, :1])
    assert alone.value is None and "two images" in alone.note


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="at least 2 images"):
        gaussian_of(torch.rand(1, 3))
    with pytest.raises(ValueError, match="as many dimensions, got 2 and 3"):
        frechet_distance(gaussian_of(torch.rand(4, 2)), gaussian_of(torch.rand(4, 3)))
