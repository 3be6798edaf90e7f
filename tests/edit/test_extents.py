"""The region and the joining of extents."""

import numpy as np
import pytest
import torch

from x2x_core.edit.extents import join_extents, region_of_extent
from x2x_core.language.instruction import Instruction

SIDE = 256


def clause(text):
    return Instruction.parse(text).clauses[0]


def band(sign=1.0, rows=slice(100, 106)):
    """A plate, narrower than a cell."""
    extent = torch.zeros(1, 1, SIDE, SIDE)
    extent[..., rows, 80:180] = sign
    return extent


def test_the_region_of_a_finding_is_wider_than_its_extent_and_that_of_air_is_not():
    extent = band(rows=slice(90, 130))
    wide = region_of_extent(extent, clause("Add left lower consolidation"))
    tight = region_of_extent(-extent, clause("Add left pneumothorax"))
    inside = extent[0, 0] > 0
    assert (wide[0, 0][inside] > 0.5).all() and (wide > 0).sum() > 1.2 * inside.sum()
    assert (tight > 0.1).sum() <= 1.02 * inside.sum() and tight[0, 0, 110, 130] == 1


def test_of_two_extents_the_stronger_counts():
    weak, strong = 0.3 * band(), -0.8 * band(rows=slice(104, 110))
    joined = join_extents([weak, strong])
    assert joined[0, 0, 101, 100] == pytest.approx(0.3) and joined[0, 0, 105, 100] == pytest.approx(-0.8)
    assert np.array_equal(join_extents([weak]), weak)
