"""Regions that the place hint names in training."""

import torch

from x2x_core.training.editing.hinted_regions import draw_regions


def spot(peak=1.0):
    """A change weight with one spot."""
    weight = torch.zeros(1, 1, 16, 16)
    weight[0, 0, 6:9, 6:9], weight[0, 0, 7, 7] = 0.5 * peak, peak
    return weight


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_region_holds_the_change_and_little_more():
    for seed in range(40):
        region = draw_regions(spot(), 0.0, generator(seed))
        assert region.min() == 0 and region.max() == 1
        assert region[0, 0, 6:9, 6:9].all() and region.sum() <= 81  # grown by 3 cells at most


def test_half_of_the_regions_are_graded():
    regions = draw_regions(spot(0.5).repeat(300, 1, 1, 1), 0.0, generator())
    graded = [own for own in regions if own.unique().numel() > 2]
    assert 110 < len(graded) < 190 and all(torch.equal(own, spot()[0]) for own in graded)


def test_regions_differ_in_width():
    areas = {float(draw_regions(spot(), 0.0, generator(seed)).sum()) for seed in range(40)}
    assert len(areas) >= 3


def test_a_faint_change_has_a_region_and_none_has_none():
    assert draw_regions(spot(0.1), 0.0, generator()).any()
    assert not draw_regions(spot(0.01), 0.0, generator()).any()


def test_places_are_left_open_as_often_as_asked():
    weights = spot().repeat(400, 1, 1, 1)
    left_open = (draw_regions(weights, 0.25, generator()).flatten(1).sum(1) == 0).float().mean()
    assert 0.18 < left_open < 0.32
    assert not draw_regions(weights, 1.0, generator()).any()


def test_the_same_seed_gives_the_same_regions():
    weights = spot().repeat(9, 1, 1, 1)
    assert torch.equal(draw_regions(weights, 0.3, generator(4)), draw_regions(weights, 0.3, generator(4)))
