"""Pearson's correlation: against scipy, weights as repetition, and what is undefined."""

import math

import pytest
import torch
from scipy.stats import pearsonr

from x2x_core.evaluation.metrics.bootstrap import draw_counts
from x2x_core.evaluation.metrics.pearson import pearson


def pair(seed=0, n=40):
    values = torch.randn(2, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return 50 + 10 * values[0], 60 + 3 * values[0] + 5 * values[1]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_that_of_scipy(seed):
    found, truth = pair(seed)
    assert float(pearson(found, truth, torch.ones(1, 40))) == pytest.approx(pearsonr(found, truth).statistic, abs=1e-12)


def test_weights_count_as_repetition():
    found, truth = pair()
    counts = draw_counts(list(range(40)), torch.Generator().manual_seed(1), 10)
    for weights, value in zip(counts.long(), pearson(found, truth, counts)):
        again = [one.repeat_interleave(weights).numpy() for one in (found, truth)]
        assert float(value) == pytest.approx(pearsonr(*again).statistic, abs=1e-9)


def test_lines_give_one_and_minus_one():
    x = torch.arange(5.0)
    assert float(pearson(x, 3 * x + 1, torch.ones(1, 5))) == pytest.approx(1)
    assert float(pearson(x, -x, torch.ones(1, 5))) == pytest.approx(-1)


def test_what_does_not_vary_has_no_correlation():
    x = torch.arange(5.0)
    assert math.isnan(float(pearson(x, torch.full((5,), 63.7), torch.ones(1, 5))))
    assert math.isnan(float(pearson(x, x, torch.tensor([[0.0, 4, 0, 0, 0]]))))
    with pytest.raises(ValueError, match="`found`, `truth` and `weights` must be"):
        pearson(x, x[:4], torch.ones(1, 5))
