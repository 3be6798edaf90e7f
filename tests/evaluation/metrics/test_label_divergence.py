"""Divergence of predicted labels: against torch.distributions and scipy, and a case worked by hand."""

import math

import pytest
import torch
from scipy.stats import entropy
from torch.distributions import Bernoulli, kl_divergence

from x2x_core.evaluation.metrics.label_divergence import label_divergence


def probabilities(share, n=20):
    """One label that the first `share` of the images have."""
    return (torch.arange(n) < share * n).double()[:, None]


def test_worked_by_hand():
    # 4 images: the classifier sees 3 of the real ones and 1 of the edited ones; with a half added to either outcome
    p, q = 3.5 / 5, 1.5 / 5
    expected = p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    found = label_divergence(probabilities(0.25, 4), probabilities(0.75, 4), torch.ones(1, 4))
    assert float(found) == pytest.approx(expected)


def test_it_is_that_of_two_coins():
    edited, real = (torch.rand(50, 3, generator=torch.Generator().manual_seed(n)).double() ** (n + 1) for n in range(2))
    p, q = ((((one >= 0.5).sum(0) + 0.5) / 51) for one in (real, edited))
    found = float(label_divergence(edited, real, torch.ones(1, 50)))
    assert found == pytest.approx(float(kl_divergence(Bernoulli(p), Bernoulli(q)).mean()))
    assert found == pytest.approx(entropy(torch.stack([p, 1 - p]), torch.stack([q, 1 - q])).mean())


def test_as_many_labels_give_none_whoever_has_them_and_more_difference_gives_more():
    same = label_divergence(probabilities(0.5).flip(0), probabilities(0.5), torch.ones(1, 20))
    near, far = (label_divergence(probabilities(x), probabilities(0.5), torch.ones(1, 20)) for x in (0.6, 0.9))
    assert float(same) == pytest.approx(0) and 0 < near < far
    assert math.isfinite(label_divergence(probabilities(0.0), probabilities(1.0), torch.ones(1, 20)))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="must be \\(n, C\\) alike"):
        label_divergence(torch.rand(3, 2), torch.rand(3, 1), torch.ones(1, 3))
