"""Preparation of images for a network."""

import pytest
import torch

from x2x_core.common.errors import InputError
from x2x_core.scorers.preparation import Preparation


def test_preparation_scales_repeats_and_normalises():
    ready = Preparation(size=32, channels=3, mean=(0.5, 0.5, 0.0), std=(0.5, 0.25, 1.0))(
        torch.full((2, 1, 20, 10), 0.75)
    )
    assert ready.shape == (2, 3, 32, 32)
    assert [float(ready[0, channel].mean()) for channel in range(3)] == pytest.approx([0.5, 1.0, 0.75], abs=1e-5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"channels": 2}, "`channels` must be 1 or 3, got 2"),
        ({"mean": (1.0, 2.0)}, r"`mean` must be left out or have 1 numbers, got \(1.0, 2.0\)"),
        ({"mean": 0.5}, "`mean` must be a list of numbers, got 0.5"),
        ({"std": ["a"]}, r"`std` must be a list of numbers, got \['a'\]"),
        ({"std": [0.0]}, r"`std` must not contain 0, got \(0.0,\)"),
        ({"size": "224"}, "`size` must be a whole number of at least 1, got '224'"),
        ({"size": 0}, "`size` must be a whole number of at least 1, got 0"),
        ({"size": 224.5}, "`size` must be a whole number of at least 1, got 224.5"),
        ({"low": None}, "`low` must be a number, got None"),
        ({"high": float("nan")}, "`high` must be a number, got nan"),
    ],
)
def test_a_wrong_field_is_refused_with_its_value(fields, message):
    with pytest.raises(InputError, match=message):
        Preparation(**fields)
