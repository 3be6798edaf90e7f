"""Neighbourhoods of features: known sets, brute force, and figures that prdc 0.2 gives for the same draws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics import manifold

# prdc.compute_prdc(real, edited, nearest_k=5) of the draws below; `make test-measures` computes them anew.
PRDC = {"precision": 50 / 60, "recall": 58 / 60, "density": 0.5933333333333334, "coverage": 53 / 60}
NAMES = ("precision", "recall", "density", "coverage")


def draws(n=60, d=8, shift=0.3):
    source = np.random.RandomState(0)
    return tuple(torch.from_numpy(values) for values in (source.randn(n, d), source.randn(n, d) * 1.2 + shift))


def means(edited, real, nearest=5):
    return {name: float(getattr(manifold, name)(edited, real, nearest).mean()) for name in NAMES}


def test_figures_are_those_of_prdc():
    real, edited = draws()
    assert means(edited, real) == pytest.approx(PRDC)


@pytest.mark.parametrize("nearest", [1, 2, 3])
def test_figures_are_those_of_brute_force(nearest):
    real, edited = (values.numpy() for values in draws(12, 2))

    def radius(values, index):
        return sorted(np.linalg.norm(values - values[index], axis=1))[nearest]

    def inside(image, values):
        return [np.linalg.norm(image - values[n]) < radius(values, n) for n in range(len(values))]

    expected = {
        "precision": np.mean([any(inside(image, real)) for image in edited]),
        "recall": np.mean([any(inside(image, edited)) for image in real]),
        "density": np.mean([sum(inside(image, real)) / nearest for image in edited]),
        "coverage": np.mean(
            [min(np.linalg.norm(edited - real[n], axis=1)) < radius(real, n) for n in range(len(real))]
        ),
    }
    assert means(*map(torch.from_numpy, (edited, real)), nearest) == pytest.approx(expected)


def test_the_same_set_scores_one_and_a_far_one_nothing():
    real, _ = draws()
    same, far = means(real, real), means(real + 1000, real)
    assert same["precision"] == same["recall"] == same["coverage"] == 1 and far == dict.fromkeys(NAMES, 0)


def test_one_image_repeated_is_precise_but_covers_little():
    real, _ = draws()
    repeated = real[:1].repeat(60, 1) + 1e-6 * torch.randn(60, 8, generator=torch.Generator().manual_seed(0))
    found = means(repeated, real)
    assert found["precision"] == 1 and found["recall"] == pytest.approx(1 / 60) and found["coverage"] < 0.3


@given(scale=st.floats(0.01, 100), turn=st.integers(0, 9))
def test_scale_and_rotation_change_nothing(scale, turn):
    real, edited = draws(20, 3)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(turn)).double()).Q
    turned = means(scale * edited @ rotation, scale * real @ rotation)
    assert turned == pytest.approx(means(edited, real))


def test_realism_by_hand():
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    # with k = 1 the radii are 1, 1, 1, 8; the median is 1, so the ball of 10 is left out
    assert manifold.realism(torch.tensor([[1.5], [4.0], [9.0]]), real, 1).tolist() == pytest.approx([2, 0.5, 1 / 7])
    assert manifold.realism(real[:1], real, 1).item() == float("inf")


def test_too_few_images_are_refused():
    with pytest.raises(InputError, match="more than 5 images"):
        manifold.radii(torch.rand(5, 2))
