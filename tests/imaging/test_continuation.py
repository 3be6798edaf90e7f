"""Carrying values from where they are known."""

import numpy as np

from x2x_core.imaging.continuation import continue_field


def test_known_values_are_carried_on_and_unknown_ones_do_not_count():
    values = np.full((40, 60), 9.0, np.float32)
    values[:, :20] = 0.3
    weight = np.zeros_like(values)
    weight[:, :20] = 1
    field = continue_field(values, weight, np.full_like(values, 0.5), [30.0, 5.0], 0.2)
    assert np.allclose(field[:, :20], 0.3, atol=1e-4) and field.min() > 0.3 - 1e-4 and field.max() <= 0.5
    assert abs(field[20, 25] - 0.3) < 0.01


def test_where_nothing_is_known_the_start_stays():
    start = np.random.default_rng(0).random((12, 9), np.float32)
    assert np.array_equal(continue_field(start + 1, np.zeros_like(start), start, [4.0, 1.0], 0.1), start)
