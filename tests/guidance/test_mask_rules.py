"""From guidance map to mask: both rules, islands, holes, areas, and that nothing leaves the pseudomask."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.anatomy.areas import AreaLimits
from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.guidance.maps import guidance_mask
from x2x_core.guidance.mask_rules import (
    ENERGY_SHARE,
    HIGHEST_LEVEL,
    LOWEST_LEVEL,
    adaptive_level,
    find_mask,
    without_holes,
    without_islands,
)
from x2x_core.guidance.mask_settings import MASK_RULES, MaskSettings

TIDY = MaskSettings("threshold", 0.1, remove_islands=True, close_holes=True, limit_area=True)
BARE = replace(TIDY, remove_islands=False, close_holes=False, limit_area=False)
SEEDS = st.integers(0, 999)
SIDES = st.integers(1, 20)
SETTINGS = st.builds(
    MaskSettings,
    mask_rule=st.sampled_from(MASK_RULES),
    mask_threshold=st.floats(0, 1),
    remove_islands=st.booleans(),
    close_holes=st.booleans(),
    limit_area=st.booleans(),
)
LIMITS = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).map(lambda pair: AreaLimits(*pair))


def random_maps(height, width, seed):
    """G and P, both with zeros, in pieces with holes."""
    draws = torch.rand(2, 1, 1, height, width, generator=seeded(seed))
    pseudomask = draws[0] * (draws[0] > 0.2)
    return pseudomask * draws[1] * (draws[1] > 0.3), pseudomask


def drawn(*rows):
    """A picture of digits as a map `(H, W)` in [0, 0.9]."""
    return np.array([[int(digit) / 10 for digit in row] for row in rows], np.float32)


def masked(guidance, settings, limits=None, parts=None, pseudomask=None):
    """The mask `(H, W)` of one map, the whole image being allowed."""
    values = torch.from_numpy(guidance)[None, None]
    allowed = torch.ones_like(values) if pseudomask is None else torch.from_numpy(pseudomask)[None, None]
    return find_mask(values, allowed, settings, limits and [limits], parts and [parts])[0, 0].numpy()


# -- what holds for all -----------------------------------------------------------------------------------------------


@given(height=SIDES, width=SIDES, seed=SEEDS, settings=SETTINGS, limits=LIMITS)
def test_a_mask_never_leaves_the_pseudomask(height, width, seed, settings, limits):
    guidance, pseudomask = random_maps(height, width, seed)
    mask = find_mask(guidance, pseudomask, settings, [limits])
    assert mask.shape == guidance.shape and mask.dtype == torch.bool
    assert not (mask & (pseudomask == 0)).any()
    if settings.mask_rule == "adaptive" or settings.mask_threshold > 0:  # else 0 takes all of the pseudomask
        assert (pseudomask[mask & (guidance == 0)] >= EDGE_LEVEL).all()  # closed holes


@given(height=SIDES, width=SIDES, seed=SEEDS, threshold=st.floats(0, 1))
def test_without_any_step_a_threshold_is_the_published_rule(height, width, seed, threshold):
    guidance, pseudomask = random_maps(height, width, seed)
    found = find_mask(guidance, pseudomask, replace(BARE, mask_threshold=threshold))
    assert torch.equal(found, guidance_mask(guidance, threshold, pseudomask))


@given(seed=SEEDS, settings=SETTINGS)
def test_each_image_of_a_batch_has_its_own_mask(seed, settings):
    pairs = [random_maps(9, 11, seed + number) for number in range(3)]
    limits = [AreaLimits(0.1, 0.2), None, AreaLimits(0.5, 0.9)]
    guidance, pseudomask = (torch.cat(values) for values in zip(*pairs))
    together = find_mask(guidance, pseudomask, settings, limits)
    for number, (one, allowed) in enumerate(pairs):
        assert torch.equal(together[number], find_mask(one, allowed, settings, [limits[number]])[0])


@given(settings=SETTINGS, limits=LIMITS)
def test_a_map_that_is_zero_everywhere_gives_an_empty_mask(settings, limits):
    settings = replace(settings, mask_threshold=max(settings.mask_threshold, 0.01))
    assert not find_mask(torch.zeros(1, 1, 8, 9), torch.ones(1, 1, 8, 9), settings, [limits]).any()


# -- the adaptive rule ------------------------------------------------------------------------------------------------


@given(seed=SEEDS)
def test_the_adaptive_mask_is_the_smallest_that_holds_the_share_of_energy(seed):
    guidance = torch.rand(1, 1, 16, 16, generator=seeded(seed)) ** 3
    mask = find_mask(guidance, torch.ones_like(guidance), replace(BARE, mask_rule="adaptive"))
    energy = guidance.square()
    assert guidance[mask].min() > guidance[~mask].max()
    if LOWEST_LEVEL < adaptive_level(guidance[0, 0].numpy()) < HIGHEST_LEVEL:
        assert energy[mask].sum() >= ENERGY_SHARE * energy.sum()
        weakest = energy[mask & (guidance < guidance[mask].min() + 1e-3)].sum()  # a level is found to a thousandth
        assert energy[mask].sum() - weakest <= ENERGY_SHARE * energy.sum() + 1e-5


@given(seed=SEEDS, factor=st.floats(0.5, 1))
def test_the_adaptive_mask_does_not_ask_how_strong_the_map_is_as_a_whole(seed, factor):
    guidance = torch.rand(1, 1, 16, 16, generator=seeded(seed)) ** 4
    settings = replace(BARE, mask_rule="adaptive")
    strong, weak = (find_mask(values, torch.ones_like(values), settings) for values in (guidance, factor * guidance))
    if adaptive_level(guidance[0, 0].numpy()) < HIGHEST_LEVEL:
        assert (strong != weak).float().mean() < 0.02  # but for the level's last digit


def test_a_weak_map_is_left_empty_by_the_adaptive_rule():
    assert not masked(np.full((8, 8), LOWEST_LEVEL / 2, np.float32), replace(BARE, mask_rule="adaptive")).any()


# -- islands ----------------------------------------------------------------------------------------------------------

ISLANDS = drawn(
    "9900000",
    "9900020",
    "9900000",
    "0000004",
    "0000044",
)


def test_small_islands_go_and_what_holds_enough_energy_stays():
    kept = without_islands(ISLANDS > 0, ISLANDS)
    assert kept[:3, :2].all() and kept.sum() == 6
    strong = np.where(np.float32(0.4) == ISLANDS, np.float32(0.8), ISLANDS)
    assert without_islands(strong > 0, strong).sum() == 9 and not without_islands(strong > 0, strong)[1, 5]


def test_each_part_keeps_its_strongest_piece():
    parts = np.zeros((2, 5, 7), bool)
    parts[0, :, :3] = parts[1, :, 3:] = True
    kept = without_islands(ISLANDS > 0, ISLANDS, parts)
    assert kept.sum() == 9 and kept[4, 6] and not kept[1, 5]


def test_a_part_that_holds_nothing_keeps_nothing():
    parts = np.zeros((2, 5, 7), bool)
    parts[0, :, :3] = parts[1, 4, :2] = True
    assert without_islands(ISLANDS > 0, ISLANDS, parts).sum() == 6


def test_corners_touch():
    diagonal = np.eye(4, dtype=np.float32)
    assert without_islands(diagonal > 0, diagonal).sum() == 4


# -- holes ------------------------------------------------------------------------------------------------------------

RING = drawn(
    "000000",
    "055550",
    "050050",
    "055550",
    "000000",
)


def test_holes_are_closed_and_bays_are_not():
    assert without_holes(RING > 0, np.ones_like(RING)).sum() == 12
    bay = RING.copy()
    bay[1, 2] = 0
    assert (without_holes(bay > 0, np.ones_like(RING)) == (bay > 0)).all()


def test_a_hole_stays_where_the_pseudomask_is_low():
    pseudomask = np.ones_like(RING)
    pseudomask[2, 2] = EDGE_LEVEL - 0.01
    closed = without_holes(RING > 0, pseudomask)
    assert not closed[2, 2] and closed[2, 3]


def test_what_the_images_border_closes_off_is_no_hole():
    corner = np.zeros((5, 5), np.float32)
    corner[2, :3] = corner[:3, 2] = 0.5
    assert (without_holes(corner > 0, np.ones_like(corner)) == (corner > 0)).all()


@given(seed=SEEDS, settings=SETTINGS, frame=st.tuples(*[st.integers(0, 3)] * 4))
def test_what_lies_around_the_pseudomask_changes_nothing(seed, settings, frame):
    settings = replace(settings, limit_area=False)
    guidance, pseudomask = random_maps(12, 9, seed)
    within = find_mask(guidance, pseudomask, settings)
    around = find_mask(*(torch.nn.functional.pad(values, frame) for values in (guidance, pseudomask)), settings)
    assert torch.equal(around, torch.nn.functional.pad(within, frame))


# -- areas ------------------------------------------------------------------------------------------------------------


@given(seed=SEEDS, limits=LIMITS, rule=st.sampled_from(MASK_RULES), threshold=st.floats(0.01, 1))
def test_the_area_is_within_limits_where_the_map_allows_it(seed, limits, rule, threshold):
    guidance = torch.rand(1, 1, 20, 20, generator=seeded(seed))  # all values differ, so that any area can be reached
    settings = replace(BARE, mask_rule=rule, mask_threshold=threshold, limit_area=True)
    share = float(find_mask(guidance, torch.ones_like(guidance), settings, [limits]).float().mean())
    pixel = 2 / guidance.numel()  # a level is found to some digits
    assert limits.lowest - pixel <= share <= max(limits.highest + 1e-6, 1 / guidance.numel())


def test_a_mask_within_limits_is_left_alone():
    guidance = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    settings = replace(BARE, mask_threshold=0.5, limit_area=True)
    assert (masked(guidance, settings, AreaLimits(0.3, 0.7)) == (guidance >= 0.5)).all()
    assert (masked(guidance, settings) == (guidance >= 0.5)).all()


def test_the_least_area_takes_no_place_without_guidance():
    guidance = np.zeros((10, 10), np.float32)
    guidance[4, 4:7] = (0.1, 0.2, 0.3)
    found = masked(guidance, replace(BARE, mask_threshold=0.9, limit_area=True), AreaLimits(0.5, 0.9))
    assert (found == (guidance > 0)).all()
    found = masked(guidance, replace(BARE, mask_threshold=0.9, limit_area=True), AreaLimits(0.02, 0.9))
    assert (found == (guidance > 0.15)).all()


def test_the_largest_area_takes_the_highest_values():
    guidance = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    found = masked(guidance, replace(BARE, mask_threshold=0.0, limit_area=True), AreaLimits(0.0, 0.2))
    assert found.sum() == 20 and found[8:].all()


def test_a_plateau_is_taken_as_a_whole():
    guidance = np.full((4, 4), 0.5, np.float32)
    assert masked(guidance, replace(BARE, limit_area=True), AreaLimits(0.1, 0.2)).all()


@pytest.mark.parametrize("rule", MASK_RULES)
def test_a_speck_beside_the_finding_goes_and_the_finding_is_whole(rule):
    """Purpose of the steps: one clean region from a ragged map."""
    y, x = np.mgrid[:64, :64]
    guidance = np.exp(-(((x - 20) / 9) ** 2) - ((y - 40) / 11) ** 2).astype(np.float32)
    guidance[40, 20] = 0
    guidance[5:8, 55:58] = 0.7
    found = masked(guidance, replace(TIDY, mask_rule=rule), AreaLimits(0.01, 0.3))
    assert found[40, 20] and not found[:10, 50:].any() and found[35:45, 15:25].all()
