"""The tone curve: thickness adds, and nothing passes the ceiling."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from x2x_core.simulation.films.tone import LEAST_THICKNESS, add_thickness

LEVELS = st.floats(0, 1, width=32)
THICKNESS = st.floats(0, 5, width=32)


@given(LEVELS, LEVELS)
def test_no_thickness_changes_nothing_to_the_bit(grey, ceiling):
    for thickness in (0, LEAST_THICKNESS):
        assert add_thickness(np.array([grey]), np.full(1, thickness), ceiling) == grey


@given(LEVELS, THICKNESS, THICKNESS, LEVELS)
def test_thicknesses_add(grey, first, second, ceiling):
    grey = np.array([grey])
    twice = add_thickness(add_thickness(grey, np.array([first]), ceiling), np.array([second]), ceiling)
    assert np.allclose(twice, add_thickness(grey, np.array([first + second]), ceiling), atol=3 * LEAST_THICKNESS)


@given(LEVELS, THICKNESS, LEVELS)
def test_a_film_gets_brighter_up_to_the_ceiling_and_no_further(grey, thickness, ceiling):
    after = add_thickness(np.array([grey]), np.array([thickness]), ceiling)[0]
    assert grey - 1e-7 <= after <= max(grey, ceiling) + 1e-7


def test_contrast_goes_on_under_an_opacity_and_shrinks():
    ribs = np.array([0.3, 0.4])
    after = add_thickness(ribs, np.ones(2), 0.8)
    assert np.isclose(np.diff(after)[0], 0.1 * np.exp(-1))
