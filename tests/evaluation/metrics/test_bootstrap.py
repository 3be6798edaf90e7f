"""Intervals: against the normal approximation, a known distribution, and cases worked by hand."""

import math

import numpy as np
import pytest
import torch

from x2x_core.evaluation.metrics.bootstrap import Estimate, draw_counts, draw_resamples, estimate, interval


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_mean_s_interval_is_near_the_normal_one():
    values = torch.randn(400, generator=seeded(), dtype=torch.float64)
    found = estimate(values.tolist(), draw_resamples(400, seeded(1)))
    half = 1.96 * float(values.std()) / 20
    assert found.value == pytest.approx(float(values.mean())) and found.count == 400
    assert found.low == pytest.approx(found.value - half, abs=0.15 * half)
    assert found.high == pytest.approx(found.value + half, abs=0.15 * half)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    covered = 0
    for number in range(200):
        values = torch.rand(60, generator=seeded(number)).tolist()
        found = estimate(values, draw_resamples(60, seeded(number), 400))
        covered += found.low <= 0.5 <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_a_paired_difference_is_narrower_than_its_parts():
    base = torch.randn(100, generator=seeded()) * 10
    drawn = draw_resamples(100, seeded(1))
    found = estimate((base + 1).tolist(), drawn, minus=base.tolist())
    assert found.value == pytest.approx(1, abs=1e-5)
    assert found.low == pytest.approx(1, abs=1e-5) == pytest.approx(found.high, abs=1e-5)


def test_medians_and_values_left_out():
    found = estimate([1.0, None, 3.0, 100.0], draw_resamples(4, seeded()), "median")
    assert (found.value, found.count) == (3.0, 3) and 1 <= found.low <= 3 <= found.high <= 100
    pairs = estimate([1.0, None, 5.0], draw_resamples(3, seeded()), minus=[0.0, 0.0, None])
    assert (pairs.value, pairs.count) == (1.0, 1)
    assert estimate([None, None], draw_resamples(2, seeded())) == Estimate(None, None, None, 0)


def test_the_same_seed_gives_the_same_interval():
    values = torch.rand(30, generator=seeded()).tolist()
    first, again, other = (estimate(values, draw_resamples(30, seeded(seed))) for seed in (1, 1, 2))
    assert first == again != other


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="`pairs` must be at least 1, got 0"):
        draw_resamples(0, seeded())
    with pytest.raises(ValueError, match="`statistic` must be one of mean, median, got 'mode'"):
        estimate([1.0], draw_resamples(1, seeded()), "mode")
    with pytest.raises(ValueError, match="`values` must be one for each of 3 pairs, got 2"):
        estimate([1.0, 2.0], draw_resamples(3, seeded()))


def mean_of(values):
    return lambda weights: (weights @ values) / weights.sum(1)


def test_the_interval_of_a_statistic_of_weights_is_that_of_its_mean():
    values = torch.rand(50, generator=seeded(), dtype=torch.float64)
    value, low, high = interval(mean_of(values), draw_counts(list(range(50)), seeded(1)))
    same = estimate(values.tolist(), draw_resamples(50, seeded(1)))
    assert (value, low, high) == pytest.approx((same.value, same.low, same.high))


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


def test_the_ends_are_numpy_s_percentiles():
    values = torch.randn(30, generator=seeded(5), dtype=torch.float64)
    resamples = draw_resamples(30, seeded(6))
    found = estimate(values.tolist(), resamples)
    drawn = values.numpy()[resamples.numpy()].mean(1)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))
