"""Landmarks of lung fields: in their places, mirrored with the side, without weight where hidden or cut off."""

import numpy as np
import pytest
import torch

from x2x_core.anatomy.landmarks import RASTER, TYPICAL_FIELDS, depth, extent, field_landmarks, raster_field

LEVELS = 9


def field(top=40, bottom=200, left=30, right=110):
    mask = np.zeros((RASTER, RASTER), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_landmarks_lie_on_the_outline():
    points, weights = field_landmarks(field(), "right")
    assert points.shape == (len(weights), 2) and (weights > 0).all()
    apex, wall, medial, dome = points[0], points[1 : 1 + LEVELS], points[1 + LEVELS : 1 + 2 * LEVELS], points[-3:]
    assert apex == pytest.approx((70 / RASTER, 40 / RASTER), abs=0.003)
    assert np.allclose(wall[:, 0], 30 / RASTER) and np.allclose(medial[:, 0], 110 / RASTER)
    assert np.allclose(dome[:, 1], 200 / RASTER)


def test_the_chest_wall_is_on_the_other_edge_of_a_left_lung():
    right, left = (field_landmarks(field(), side)[0] for side in ("right", "left"))
    assert np.array_equal(right[1 : 1 + LEVELS], left[1 + LEVELS : 1 + 2 * LEVELS])


def test_a_hidden_base_has_no_weight():
    _, visible = field_landmarks(field(bottom=120), "right")
    _, hidden = field_landmarks(field(bottom=120), "right", height=160)
    assert (visible > 0).all() and not hidden[-3:].any()
    assert 0 < (hidden[1 : 1 + LEVELS] > 0).sum() < LEVELS


def test_a_point_on_the_border_of_the_image_has_no_weight():
    _, weights = field_landmarks(field(top=0, left=0), "right")
    assert weights[0] == 0 and not weights[1 : 1 + LEVELS].any() and weights[1 + LEVELS : 1 + 2 * LEVELS].all()


def test_the_dome_is_not_lowered_by_a_narrow_recess():
    recess = field()
    recess[200:240, 30:40] = True
    assert extent(recess) == extent(field()) == (40, 200, 160) and depth(recess) == depth(field()) == 160


@pytest.mark.parametrize("side", TYPICAL_FIELDS)
def test_the_typical_field_is_on_its_side(side):
    x = np.array(TYPICAL_FIELDS[side])[:, 0]
    assert (x < 0.5).all() if side == "right" else (x > 0.5).all()


def test_a_mask_without_a_lung_has_no_field():
    assert raster_field(torch.zeros(1, 1, 50, 60)) is None
    speck = torch.zeros(1, 1, 256, 256)
    speck[..., 10:13, 10:13] = 1
    assert raster_field(speck) is None
    speck[..., 40:200, 30:110] = 1  # the largest component counts
    assert np.array_equal(raster_field(speck), field())
