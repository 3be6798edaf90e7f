"""Smoothing: a box spreads, its probability is preserved, and rare boxes spread more."""

import numpy as np
import pytest
from box_cases import PLAIN

from x2x_core.pseudomasks.building.smoothing import Smoothing, count, smooth


@pytest.mark.parametrize(
    "smoothing",
    [Smoothing("frequency", 0.03), PLAIN, Smoothing("kernel", 0.03, size_bandwidth=0.1),
     Smoothing("kernel", 0.03, adaptivity=0.5)],
)  # fmt: skip
def test_a_smoothed_box_holds_as_much_as_the_box_and_spreads_beyond_it(smoothing):
    rectangles = np.array([[0.5, 0.5, 0.25, 0.4], [0.45, 0.5, 0.25, 0.4]])
    probability = smooth(rectangles, smoothing, 80)
    assert probability.min() >= 0 and probability.max() <= 1
    assert probability.mean() == pytest.approx(0.1, rel=0.03)
    assert probability[40, 40] > 0.9 and 0 < probability[40, 24] < 0.2


def test_the_kernel_is_the_mean_over_boxes_with_shifted_centres():
    box = np.array([[0.5, 0.4, 0.3, 0.2]])
    draws = np.random.default_rng(0).normal(0, 0.05, (4000, 2))
    shifted = np.repeat(box, 4000, axis=0)
    shifted[:, :2] += draws
    expected = count(shifted, 64) / 4000
    assert np.abs(smooth(box, Smoothing("kernel", 0.05), 64) - expected).max() < 0.05


def test_rare_boxes_are_spread_more_widely_where_the_bandwidth_adapts():
    rectangles = np.concatenate([np.tile([0.3, 0.3, 0.1, 0.1], (30, 1)), [[0.7, 0.7, 0.1, 0.1]]])
    fixed, adapted = (smooth(rectangles, Smoothing("kernel", 0.03, adaptivity=a), 64) for a in (0.0, 0.5))
    assert adapted[45, 45] < fixed[45, 45] and adapted[19, 19] > fixed[19, 19]


def test_no_boxes_give_zeros_and_every_box_a_pixel():
    assert not smooth(np.zeros((0, 4)), PLAIN, 32).any()
    assert count(np.array([[0.5, 0.5, 1e-6, 1e-6], [1.0, 1.0, 1e-6, 1e-6]]), 16).sum() == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [({"method": "magic"}, "`method`"), ({"bandwidth": 0}, "`bandwidth`"), ({"pseudo_boxes": -1}, "`pseudo_boxes`")],
)
def test_bad_smoothing_is_named(values, words):
    with pytest.raises(ValueError, match=words):
        Smoothing(**values)
