"""Kappa, McNemar, preferences and equivalence: textbook examples, exact tails, and the cases without an answer."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from x2x_core.common.errors import InputError
from x2x_core.study.statistics.agreement import kappa
from x2x_core.study.statistics.equivalence import equivalent_share, equivalent_to_chance
from x2x_core.study.statistics.figures import shares
from x2x_core.study.statistics.obuchowski_rockette import interval, mean_of
from x2x_core.study.statistics.paired import compare_pairs, compare_preferences

# Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd edition, table 18.1: kappa 0.676.
FLEISS_TABLE = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
# Fleiss (1971) as worked on Wikipedia: 14 raters, 10 subjects, 5 categories: kappa 0.210.
FLEISS_COUNTS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1], [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def generator():
    return torch.Generator().manual_seed(0)


def of_table(table):
    pairs = [(str(a), str(b)) for a, row in enumerate(table) for b, count in enumerate(row) for _ in range(count)]
    return [[a for a, _ in pairs], [b for _, b in pairs]]


def test_cohen_s_kappa_of_a_textbook():
    metric = kappa(of_table(FLEISS_TABLE), generator())
    assert metric.value == pytest.approx(0.676, abs=5e-4) and metric.n == 100
    assert metric.low < metric.value < metric.high
    assert (metric.low, metric.high) == pytest.approx((0.676 - 1.96 * 0.088, 0.676 + 1.96 * 0.088), abs=0.03)


def test_fleiss_kappa_of_the_published_example():
    cases = [[str(word) for word, count in enumerate(row) for _ in range(count)] for row in FLEISS_COUNTS]
    readers = [[case[reader] for case in cases] for reader in range(14)]
    assert kappa(readers, generator()).value == pytest.approx(0.210, abs=5e-4)


def test_ordered_answers_weigh_near_misses_less():
    near, far = (
        [["1", "2", "3", "4"] * 5, ["2", "2", "3", "4"] * 5],
        [["1", "2", "3", "4"] * 5, ["4", "2", "3", "4"] * 5],
    )
    order = ("1", "2", "3", "4")
    assert kappa(near, generator()).value == pytest.approx(kappa(far, generator()).value, abs=0.05)
    assert kappa(near, generator(), order).value > kappa(far, generator(), order).value + 0.3


def test_kappa_is_one_for_equal_answers_and_undefined_without_variety():
    answers = ["a", "b", "b", "a", "a", "b"]
    assert kappa([answers, answers, answers], generator()).value == pytest.approx(1)
    metric = kappa([["a"] * 4, ["a"] * 4], generator())
    assert metric.value is None and metric.note == "all answers are equal"
    with pytest.raises(InputError, match="`answers` must be of at least two readers to the same cases"):
        kappa([["a"], ["a", "b"]], generator())


def test_mcnemar_s_test_is_the_exact_tail():
    first, second = [True] * 8 + [False] * 2 + [True] * 5, [False] * 8 + [True] * 2 + [True] * 5
    found = compare_pairs(first, second)
    tail = 2 * sum(math.comb(10, count) for count in range(3)) / 2**10
    assert (found.first, found.second) == (8, 2) and found.p == pytest.approx(tail)
    assert compare_pairs([True], [True]).p == 1
    with pytest.raises(InputError, match="must be of the same cases, got 1 and 2"):
        compare_pairs([True], [True, False])


def test_preferences_are_a_sign_test():
    assert compare_preferences(9, 1).p == pytest.approx(2 * 11 / 2**10)
    assert compare_preferences(0, 0).p == 1


def test_equivalence_holds_if_the_90_percent_interval_lies_inside():
    for value, error, freedom in ((0.52, 0.03, 12.0), (0.52, 0.06, 12.0), (0.58, 0.03, math.inf), (0.35, 0.01, 5.0)):
        found = equivalent_to_chance(interval(value, error, freedom))
        assert found.equivalent == (found.low > 0.4 and found.high < 0.6)
    assert equivalent_to_chance(interval(0.5, 0.03, math.inf)).p == pytest.approx(stats.norm.sf(0.1 / 0.03))
    nothing = equivalent_to_chance(interval(0.5, 0.0, math.inf))
    assert not nothing.equivalent and nothing.p == 1  # no variation is no evidence
    with pytest.raises(InputError, match=r"`margin` must lie between 0 and 0.5, got 0"):
        equivalent_to_chance(interval(0.5, 0.1, 3), 0)


def test_readers_at_the_margin_are_rarely_said_to_guess():
    """Two readers who are right in 0.6 of 20 cases often have equal shares, and then no standard error."""
    draws = np.random.default_rng(1)
    means = [mean_of(shares(draws.random((1, 2, 20)) < 0.6, ("m",), ("a", "b"))) for _ in range(400)]
    assert sum(mean.error == 0 for mean in means) > 20
    assert np.mean([equivalent_to_chance(mean).equivalent for mean in means]) < 0.05


def test_equivalence_of_a_share_is_exact():
    found = equivalent_share(150, 300)
    assert found.p == pytest.approx(stats.binom.cdf(150, 300, 0.6)) and found.equivalent
    assert not equivalent_share(15, 30).equivalent  # too few answers to show it
    assert not equivalent_share(200, 300).equivalent
    with pytest.raises(InputError, match="`count` must be at least 1"):
        equivalent_share(0, 0)
