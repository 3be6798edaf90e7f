"""A regularised affine fit that is robust to outliers.

Iteratively reweighted least squares with Huber's weights (Holland and Welsch, *Robust regression using iteratively
reweighted least-squares*, 1977). Penalties pull the map towards a rotation with two scales (width and height of the
chest), in which patients differ most.
"""

from __future__ import annotations

import numpy as np

_HUBER = 0.02  # distance beyond which a point is downweighted
_ITERATIONS = 12
# Strength of the penalties on shear, on tilt, and on unusual proportions, as numbers of landmarks.
_SHEAR_WEIGHT, _TILT_WEIGHT, _PROPORTION_WEIGHT = 8.0, 0.5, 2.0
_SPREAD = 0.06  # mean squared distance of the typical landmarks from their centroid


def fit_affine(source: np.ndarray, target: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit an affine map from one set of points to another.

    Args:
        source: points `(N, 2)`.
        target: their images, `(N, 2)`.
        weights: `(N,)`, at least 0.

    Returns:
        The map `(2, 3)`, and the weighted mean distance that remains.
    """
    centre = np.average(source, axis=0, weights=weights + 1e-9)
    design, goal = _equations(source - centre, target)
    penalty = _penalty()
    robust_weights = np.ones(len(source))
    for _ in range(_ITERATIONS):
        strength = np.repeat(weights * robust_weights, 2)
        normal = design.T @ (strength[:, None] * design) + penalty
        solution = np.linalg.solve(normal + 1e-9 * np.eye(6), design.T @ (strength * goal))
        distance = np.linalg.norm((design @ solution - goal).reshape(-1, 2), axis=1)
        robust_weights = np.minimum(1.0, _HUBER / np.maximum(distance, 1e-9))
    linear, shift = solution[:4].reshape(2, 2), solution[4:]
    matrix = np.concatenate([linear, (shift - linear @ centre)[:, None]], axis=1)
    return matrix, float(np.average(distance, weights=weights * robust_weights + 1e-9))


def _equations(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the design matrix and the goal: two rows per point, unknowns m00, m01, m10, m11 and the shift."""
    count = len(source)
    design = np.zeros((count, 2, 6))
    design[:, 0, 0:2], design[:, 1, 2:4] = source, source
    design[:, 0, 4], design[:, 1, 5] = 1, 1
    return design.reshape(2 * count, 6), target.reshape(2 * count)


def _penalty() -> np.ndarray:
    """Return the penalty on m01 + m10 (shear), m10 - m01 (tilt) and m00 - m11 (unusual proportions)."""
    rows = [((0, 1, 1, 0), _SHEAR_WEIGHT), ((0, -1, 1, 0), _TILT_WEIGHT), ((1, 0, 0, -1), _PROPORTION_WEIGHT)]
    penalty = np.zeros((6, 6))
    for values, weight in rows:
        direction = np.array([*values, 0, 0], float)
        penalty += weight * _SPREAD * np.outer(direction, direction)
    return penalty
