"""Frechet radiomics distance of features; `make test-measures` compares it with frd-score from the pictures on."""

import math

import pytest
import torch

from x2x_core.evaluation.metrics.radiomics_distance import radiomics_distance


def features(n, seed, shift=0.0, scale=1.0):
    return shift + scale * torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_the_log_of_the_distance_of_standardised_features():
    real = features(4000, 1, 5.0, 2.0)
    moved = real + torch.tensor([2.0, 0.0, 0.0])  # one standard deviation of one feature
    assert radiomics_distance(moved, real) == pytest.approx(math.log(1.0), abs=0.05)


def test_units_of_features_do_not_count():
    real, edited = features(40, 1), features(40, 2, 0.5)
    scale = torch.tensor([1e3, 1e-3, 7.0]).double()
    assert radiomics_distance(edited * scale, real * scale) == pytest.approx(radiomics_distance(edited, real))


def test_features_that_say_nothing_are_left_out():
    real, edited = features(40, 1), features(40, 2, 0.5)
    expected = radiomics_distance(edited[:, :2], real[:, :2])
    for spoiled in (math.nan, math.inf):
        broken = edited.clone()
        broken[3, 2] = spoiled
        assert radiomics_distance(broken, real) == pytest.approx(expected)
    constant = real.clone()
    constant[:, 2] = 1.0
    assert radiomics_distance(edited, constant) == pytest.approx(expected)


def test_it_is_undefined_without_features_and_for_equal_sets():
    assert radiomics_distance(torch.ones(5, 2), torch.ones(5, 2)) is None
