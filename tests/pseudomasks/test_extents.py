"""The region and the joining of extents."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from x2x_core.anatomy.lung_masks import LungMasks
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.extents import Extent, ShownExtents, join_extents, region_of_extent

SIDE = 256


def band(sign=1.0, rows=slice(100, 106)):
    """A plate, narrower than a cell."""
    extent = torch.zeros(1, 1, SIDE, SIDE)
    extent[..., rows, 80:180] = sign
    return extent


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_region_is_a_little_wider_than_the_extent(sign):
    extent = band(sign, rows=slice(90, 130))
    region = region_of_extent(Extent(extent))
    inside = extent[0, 0].abs() > 0
    assert (region[0, 0][inside] > 0.5).all() and 1.1 * inside.sum() < (region > 0).sum() < 1.6 * inside.sum()


def test_of_two_extents_the_stronger_counts():
    weak, strong = 0.3 * band(), -0.8 * band(rows=slice(104, 110))
    joined = join_extents([Extent(weak), Extent(strong)])
    assert joined[0, 0, 101, 100] == pytest.approx(0.3) and joined[0, 0, 105, 100] == pytest.approx(-0.8)
    assert np.array_equal(join_extents([Extent(weak)]), weak)


def test_the_region_of_a_large_picture_is_that_of_a_small_one():
    extent = torch.zeros(1, 1, 200, 160)
    extent[..., 60:120, 40:100] = 1
    large = F.interpolate(extent, scale_factor=6, mode="nearest")
    small, seen = region_of_extent(Extent(extent)), F.avg_pool2d(region_of_extent(Extent(large)), 6)
    assert (small - seen).abs().mean() < 0.01 and (small - seen).abs().max() < 0.6
    assert not region_of_extent(Extent(torch.zeros(1, 1, 1200, 60))).any()


class EverywhereFinder:
    """Finds every finding in all pixels."""

    def find(self, grey):
        return {name: torch.full_like(grey, 0.2) for name in ("consolidation", "pleural effusion")}


@pytest.mark.parametrize(("finding", "beyond"), [("consolidation", False), ("pleural effusion", True)])
def test_what_is_removed_from_the_lungs_ends_above_the_dome(finding, beyond):
    """Rows from 40 on are below the dome, where the outline is unsure for two rows."""
    right = torch.zeros(1, 1, 64, 64)
    right[..., 10:40, 5:30] = 1
    right[..., 40:42, 5:30] = 0.4
    none = torch.zeros_like(right)
    lungs = LungMasks(right, none, right, none, torch.ones(1))
    shown = ShownExtents(torch.full((1, 1, 64, 64), 0.5), lungs, EverywhereFinder())
    clause = Instruction.parse(f"Remove the finding of {finding}.").clauses[0]
    change = shown.of(clause, torch.ones(1, 1, 64, 64)).change
    assert (change[..., 10:40, 5:30] < 0).all()
    assert bool((change[..., 40:, :] < 0).any()) == beyond
