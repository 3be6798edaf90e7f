"""Anatomic sites, sides and zones."""

import numpy as np
import pytest
import torch

from x2x_core.anatomy.outlines import SHAPES
from x2x_core.anatomy.sites import EDGE_LEVEL, ZONE_BANDS, ZONE_SITES, side_mask, site_mask, soften, zone_mask
from x2x_core.language.vocabulary import FINDINGS


def test_every_finding_has_a_drawn_site():
    assert {finding.site for finding in FINDINGS.values()} <= set(SHAPES)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_site_is_a_soft_part_of_the_image(name):
    mask = site_mask(name)
    share = (mask >= EDGE_LEVEL).float().mean()
    assert mask.min() == 0 and mask.max() == 1
    assert 0.02 < share < 0.85


def test_the_heart_lies_to_the_patients_left():
    heart = site_mask("heart")
    assert (heart * side_mask("left", heart.shape)).sum() > 1.5 * (heart * side_mask("right", heart.shape)).sum()


def test_a_softened_region_has_its_threshold_on_the_outline():
    region = np.zeros((80, 100), bool)
    region[20:60, 30:70] = True
    soft = soften(region)
    assert ((soft >= EDGE_LEVEL) == region).all()
    assert soft[40, 50] == 1 and soft[0, 0] == 0


def test_softening_nothing_and_everything():
    assert soften(np.zeros((8, 8), bool)).max() == 0
    assert soften(np.ones((8, 8), bool)).min() == 1


def test_left_and_right_are_mirror_images_that_overlap_a_little():
    left, right = side_mask("left", (4, 101)), side_mask("right", (4, 101))
    assert torch.allclose(left, right.flip(-1), atol=1e-6)
    assert right[0, 0] == 1 and left[0, -1] == 1 and right[0, -1] == 0
    assert right[0, 50] >= EDGE_LEVEL
    assert side_mask("bilateral", (4, 4)).min() == 1


def test_thirds_cover_every_height_and_come_in_order():
    thirds = [zone_mask(zone, (90, 3)) for zone in ("upper", "middle", "lower")]
    assert torch.stack(thirds).amax(0).min() > 0.9
    heights = [float((mask[:, 0] * torch.arange(90)).sum() / mask[:, 0].sum()) for mask in thirds]
    assert heights == sorted(heights)


@pytest.mark.parametrize("zone", [*ZONE_BANDS, *ZONE_SITES])
def test_every_zone_is_a_part_of_the_image(zone):
    mask = zone_mask(zone, (64, 48))
    assert mask.shape == (64, 48)
    assert 0.03 < (mask >= EDGE_LEVEL).float().mean() < 0.7


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"`name` must be an anatomic site .*heart"):
        site_mask("knee")
    with pytest.raises(ValueError, match="`side` must be left, right or bilateral, got 'up'"):
        side_mask("up", (4, 4))
    with pytest.raises(ValueError, match="`zone` must be one of upper"):
        zone_mask("outer", (4, 4))
    with pytest.raises(ValueError, match="`region`"):
        soften(np.zeros(4, bool))
