"""Means, medians and differences with intervals: the normal approximation, known distributions, and cases by hand."""

import math
import statistics

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from x2x_core.evaluation.metrics.bootstrap import draw_counts, draw_resamples
from x2x_core.evaluation.metrics.estimates import (
    as_values,
    estimates,
    paired_difference,
    weighted_mean,
    weighted_median,
)
from x2x_core.evaluation.results import Metric


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def estimate(values, counts, statistic="mean"):
    return estimates(as_values(values)[None], counts, (statistic,))[0]


def test_a_mean_s_interval_is_near_the_normal_one():
    values = torch.randn(400, generator=seeded(), dtype=torch.float64)
    found = estimate(values.tolist(), draw_counts(range(400), seeded(1)))
    half = 1.96 * float(values.std()) / 20
    assert found.value == pytest.approx(float(values.mean())) and found.n == 400
    assert found.low == pytest.approx(found.value - half, abs=0.15 * half)
    assert found.high == pytest.approx(found.value + half, abs=0.15 * half)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    covered = 0
    for number in range(200):
        values = torch.rand(60, generator=seeded(number)).tolist()
        found = estimate(values, draw_counts(range(60), seeded(number), 400))
        covered += found.low <= 0.5 <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_a_paired_difference_is_narrower_than_its_parts():
    base = torch.randn(100, generator=seeded(), dtype=torch.float64) * 10
    found = paired_difference(base + 1, base, draw_counts(range(100), seeded(1)))
    assert found.value == pytest.approx(1) and found.low == pytest.approx(1) == pytest.approx(found.high)


def test_a_difference_counts_pairs_of_both_rows_only():
    first, second = as_values([1.0, 2.0, None, 9.0]), as_values([0.5, 1.5, 3.0, None])
    counts = draw_counts([0, 1, 2, 3], seeded())
    for statistic in ("mean", "median"):
        found = paired_difference(first, second, counts, statistic)
        assert (found.value, found.low, found.high, found.n) == (0.5, 0.5, 0.5, 2)
    assert paired_difference(first, as_values([None] * 4), counts, "median").value is None


def test_a_difference_of_medians_is_that_of_the_resampled_medians():
    first, second = torch.randn(2, 31, generator=seeded(2), dtype=torch.float64)
    resamples = draw_resamples(31, seeded(1))
    found = paired_difference(first, second, draw_counts(range(31), seeded(1)), "median")
    assert found.value == pytest.approx(statistics.median(first.tolist()) - statistics.median(second.tolist()))
    drawn = np.median(first.numpy()[resamples], 1) - np.median(second.numpy()[resamples], 1)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))


def test_medians_and_values_left_out():
    found = estimate([1.0, None, 3.0, 100.0], draw_counts(range(4), seeded()), "median")
    assert (found.value, found.n) == (3.0, 3) and 1 <= found.low <= 3 <= found.high <= 100
    assert estimate([None, None], draw_counts(range(2), seeded())) == Metric(None, n=0, note="no pair has a value")


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12))
def test_the_median_of_any_count_is_the_true_one(values):
    found = weighted_median(as_values(values), torch.ones(1, len(values), dtype=torch.float64))
    assert float(found) == pytest.approx(statistics.median(values), abs=1e-9)


def test_a_weighted_median_counts_a_pair_as_often_as_it_weighs():
    values = as_values([3.0, 1.0, None, 2.0])
    weights = torch.tensor([[5.0, 1, 9, 1], [1, 1, 0, 0], [0, 0, 4, 0]]).double()
    found = weighted_median(values, weights)
    assert found[:2].tolist() == [3.0, 2.0] and math.isnan(found[2])
    assert weighted_mean(values, weights)[:2].tolist() == pytest.approx([18 / 7, 2.0])


@pytest.mark.parametrize(("name", "by_hand"), [("mean", np.nanmean), ("median", np.nanmedian)])
def test_intervals_are_the_percentiles_of_resampled_pairs(name, by_hand):
    values = torch.randn(30, generator=seeded(5), dtype=torch.float64)
    values[3] = math.nan
    found = estimates(values[None], draw_counts(range(30), seeded(6)), (name,))[0]
    drawn = by_hand(values.numpy()[draw_resamples(30, seeded(6)).numpy()], 1)
    assert (found.value, found.n) == (pytest.approx(by_hand(values.numpy())), 29)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))


def test_pairs_of_one_body_have_a_value_and_no_interval():
    counts = draw_counts([0, 0, 1], seeded())
    for statistic in ("mean", "median"):
        found = estimate([1.0, 3.0, None], counts, statistic)
        assert found == Metric(2.0, n=2, note="no interval: all pairs are of one patient")
        difference = paired_difference(as_values([1.0, 3.0, None]), as_values([0.0, 0.0, 5.0]), counts, statistic)
        assert (difference.value, difference.low, difference.high, difference.n) == (2.0, None, None, 2)
        assert estimate([1.0, 3.0, 2.0], counts, statistic).low is not None


def test_the_same_seed_gives_the_same_interval():
    values = torch.rand(30, generator=seeded()).tolist()
    first, again, other = (estimate(values, draw_counts(range(30), seeded(seed))) for seed in (1, 1, 2))
    assert first == again != other


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="`statistics` must each be one of mean, median, got 'mode'"):
        estimate([1.0], draw_counts(range(1), seeded()), "mode")
    with pytest.raises(ValueError, match="`values` must hold one for each of 3 pairs, got 2"):
        estimate([1.0, 2.0], draw_counts(range(3), seeded()))
