"""Bootstrap intervals of weighted statistics: known distributions, clusters, and cases worked by hand."""

import math

import numpy as np
import pytest
import torch

from x2x_core.evaluation.metrics.bootstrap import draw_counts, draw_resamples, interval


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_no_pairs_are_refused():
    with pytest.raises(ValueError, match="`pairs` must be at least 1, got 0"):
        draw_resamples(0, seeded())
    with pytest.raises(ValueError, match="`pairs` must be at least 1, got 0"):
        draw_counts([], seeded())


def test_counts_say_how_often_each_pair_was_drawn():
    counts, drawn = draw_counts(range(7), seeded(3), 20), draw_resamples(7, seeded(3), 20)
    assert counts.dtype == torch.float64
    assert counts.tolist() == [torch.bincount(row, minlength=7).tolist() for row in drawn]


def mean_of(values):
    return lambda weights: (weights @ values) / weights.sum(1)


def test_the_interval_of_a_statistic_of_weights_is_that_of_its_mean():
    values = torch.rand(50, generator=seeded(), dtype=torch.float64)
    value, low, high = interval(mean_of(values), draw_counts(range(50), seeded(1)))
    drawn = values[draw_resamples(50, seeded(1))].mean(1)
    assert value == pytest.approx(float(values.mean()))
    assert (low, high) == pytest.approx(tuple(np.percentile(drawn.numpy(), [2.5, 97.5])))


def test_the_interval_of_a_weighted_statistic_covers_about_as_often_as_it_says():
    covered = 0
    for number in range(200):
        values = torch.randn(60, generator=seeded(number), dtype=torch.float64)
        _, low, high = interval(mean_of(values), draw_counts(list(range(60)), seeded(number), 400))
        covered += low <= 0 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_pairs_of_one_patient_are_drawn_together_and_widen_the_interval():
    groups = [number // 5 for number in range(100)]
    counts = draw_counts(groups, seeded(), 300)
    assert (counts.reshape(300, 20, 5) == counts.reshape(300, 20, 5)[..., :1]).all()
    assert (counts.sum(1) == 100).all()
    values = torch.randn(20, generator=seeded(), dtype=torch.float64).repeat_interleave(5)
    widths = []
    for given in (groups, list(range(100))):
        _, low, high = interval(mean_of(values), draw_counts(given, seeded(1)))
        widths.append(high - low)
    assert widths[0] > 1.7 * widths[1]  # in truth sqrt(5) times


def test_undefined_statistics_have_no_interval_and_undefined_resamples_are_left_out():
    counts = draw_counts([0, 1, 2], seeded(), 200)
    assert interval(lambda weights: torch.full((len(weights),), math.nan), counts) == (None, None, None)
    partly = lambda weights: torch.where(weights[:, 0] > 0, weights[:, 0], math.nan)  # noqa: E731
    value, low, high = interval(partly, counts)
    assert value == 1 and 1 <= low <= high <= 3


def test_one_patient_has_no_interval():
    assert interval(mean_of(torch.tensor([1.0, 3.0]).double()), draw_counts(["a", "a"], seeded())) == (2, None, None)


def test_the_interval_of_a_distance_lies_about_the_figure():
    x, y = torch.randn(2, 40, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    apart = lambda w: ((w @ x - w @ y) / w.sum(1)).square()  # noqa: E731, which resampling moves up
    counts = draw_counts(range(40), torch.Generator().manual_seed(0))
    value, low, high = interval(apart, counts, distance=True)
    assert 0 <= low <= value <= high
    drawn, plain = apart(counts), interval(apart, counts)
    assert drawn.mean() > value and high == pytest.approx(max(0.0, value - float(drawn.mean()) + plain[2]))
