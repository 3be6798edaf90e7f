"""The place hint: noise shifted within a region."""

import numpy as np
import torch

from x2x_core.guidance.place_hint import add_place_hint, depth_in, graded_cells


def test_noise_is_shifted_within_the_region_alone():
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    cells = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    cells[0, :, 2:5, 3:6] = True
    hinted = add_place_hint(noise, cells, 3.0)
    inside = cells.expand_as(noise)
    assert torch.equal(hinted[~inside], noise[~inside])
    assert torch.allclose(hinted[inside], noise[inside] + 3)


def test_without_strength_the_noise_is_the_same():
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    assert add_place_hint(noise, torch.ones(1, 1, 8, 8), 0.0) is noise


def test_half_precision_stays():
    noise = torch.zeros(1, 4, 8, 8, dtype=torch.float16)
    assert add_place_hint(noise, torch.ones(1, 1, 8, 8, dtype=torch.bool), 2.0).dtype == torch.float16


def test_cells_are_graded_relative_to_the_one_that_takes_most_part():
    extents = torch.zeros(2, 1, 8, 8)
    extents[0, :, :4, :4], extents[0, :, 4:, :4] = -0.5, 0.25
    expected = torch.tensor([[1.0, 0.0], [0.5, 0.0]])
    assert torch.allclose(graded_cells(extents, (2, 2))[0, 0], expected)
    assert not graded_cells(extents, (2, 2))[1].any()  # without an extent the place is open


def test_each_region_of_a_mask_is_as_deep_as_if_it_were_alone():
    wide, narrow = torch.zeros(2, 1, 1, 64, 64, dtype=torch.bool)
    wide[..., 4:44, 4:36], narrow[..., 10:20, 48:54] = True, True
    both = depth_in(wide | narrow)
    assert torch.allclose(both, depth_in(wide) + depth_in(narrow))
    assert both[narrow].max() == both[wide].max() == 1 and (both[~(wide | narrow)] == 0).all()


def test_the_deepest_fifth_of_a_region_is_as_deep_as_can_be():
    mask = torch.zeros(1, 1, 50, 50, dtype=torch.bool)
    mask[..., 5:45, 10:40] = True
    depth = depth_in(mask)[mask].numpy()
    assert 0.2 <= np.mean(depth == 1) < 0.3 and depth.min() > 0
    assert (depth_in(torch.zeros_like(mask)) == 0).all() and (depth_in(torch.ones_like(mask)) > 0).all()


def test_a_mask_of_very_many_regions_takes_no_longer():
    rows, columns = np.mgrid[:600, :600]
    dots = torch.from_numpy((rows % 3 == 0) & (columns % 3 == 0))[None, None]  # 40,000 of a pixel each
    assert torch.equal(depth_in(dots) > 0, dots)
