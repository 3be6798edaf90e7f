"""Kernel distance: against its definition in loops, and on sets whose distance is known."""

import numpy as np
import pytest
import torch

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.kernel_distance import kernel_distance


def features(n, d, seed, shift=0.0):
    return shift + torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_its_definition():
    edited, real = features(7, 3, 1), features(7, 3, 2, 0.5)

    def kernel(x, y):
        return (float(x @ y) / 3 + 1) ** 3

    within = [
        np.mean([kernel(x, y) for i, x in enumerate(own) for j, y in enumerate(own) if i != j])
        for own in (edited, real)
    ]
    between = np.mean([kernel(x, y) for x in edited for y in real])
    assert kernel_distance(edited, real) == pytest.approx(sum(within) - 2 * between)


def test_samples_of_one_distribution_have_none_on_average():
    found = [kernel_distance(features(50, 4, 2 * n), features(50, 4, 2 * n + 1)) for n in range(40)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 40**0.5 and min(found) < 0
    assert kernel_distance(features(50, 4, 1), features(50, 4, 2, 2.0)) > max(found)


def test_sets_that_do_not_fit_are_refused():
    for edited, real in ((torch.rand(3, 2), torch.rand(4, 2)), (torch.rand(1, 2), torch.rand(1, 2))):
        with pytest.raises(InputError, match="must be \\(n, D\\) alike"):
            kernel_distance(edited, real)
