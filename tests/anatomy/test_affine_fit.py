"""The affine fit: robust to outliers, and regularised towards a rotation with two scales."""

import numpy as np
import pytest

from x2x_core.anatomy.affine_fit import fit_affine
from x2x_core.anatomy.landmarks import typical_landmarks

POINTS = np.concatenate([typical_landmarks(side) for side in ("right", "left")])


def test_an_affine_map_is_found_in_spite_of_outliers():
    draws = np.random.default_rng(0)
    source = draws.random((30, 2))
    target = source @ np.diag([0.5, 0.7]) + (0.2, 0.1)
    target[:5] += 0.3
    matrix, misfit = fit_affine(source, target, np.ones(30))
    assert np.abs(matrix - [[0.5, 0, 0.2], [0, 0.7, 0.1]]).max() < 0.06 and misfit < 0.05


def test_points_of_weight_zero_have_no_influence():
    target = POINTS * (0.8, 0.9) + 0.05
    weights = np.ones(len(POINTS))
    weights[::4] = 0
    moved = target.copy()
    moved[::4] += 0.5
    plain, disturbed = (fit_affine(POINTS, goal, weights)[0] for goal in (target, moved))
    assert np.abs(plain - disturbed).max() < 1e-6


def test_shear_is_penalised_more_than_rotation():
    angle = 0.1
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, 2 * angle], [0.0, 1.0]])
    weights = np.ones(len(POINTS))
    errors = [
        np.abs(fit_affine(POINTS, POINTS @ linear.T, weights)[0][:, :2] - linear).max() for linear in (rotation, shear)
    ]
    assert errors[0] == pytest.approx(0, abs=0.01) and errors[1] > 3 * errors[0]
