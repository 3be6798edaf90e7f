"""The tone curve: in NumPy and in torch, a grey goes towards the ceiling and never past it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from x2x_core.imaging.tone import brightening

LEVELS = st.floats(0, 1)


@given(LEVELS, st.floats(0, 5), LEVELS)
def test_a_grey_goes_along_the_curve_up_to_the_ceiling(grey, thickness, ceiling):
    expected = max(ceiling - (ceiling - grey) * math.exp(-thickness), grey) - grey
    assert brightening(np.array([grey]), np.array([thickness]), ceiling)[0] == pytest.approx(expected, abs=1e-12)
    tensors = (torch.tensor([value], dtype=torch.float64) for value in (grey, thickness, ceiling))
    assert brightening(*tensors).item() == pytest.approx(expected, abs=1e-12)


@given(LEVELS, st.floats(0, 5), LEVELS)
def test_nothing_is_added_without_thickness_or_above_the_ceiling(grey, thickness, ceiling):
    low, high = sorted((grey, ceiling))
    assert not brightening(np.array([grey]), np.zeros(1), ceiling).any()
    assert not brightening(np.array([high]), np.array([thickness]), low).any()
