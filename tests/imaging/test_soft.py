"""Soft edges: inside the mask, rising over the given width, and whole in the middle of thin masks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.imaging.soft import inverse_smoothstep, smoothstep, soft_edges

SEEDS = st.integers(0, 999)
SIDES = st.integers(1, 24)


def random_mask(height, width, seed, share=0.5):
    return torch.rand(1, 1, height, width, generator=seeded(seed)) < share


@given(seed=SEEDS, height=SIDES, width=SIDES, edge=st.floats(0, 9), share=st.floats(0, 1))
def test_a_soft_edge_lies_inside_the_mask_only(seed, height, width, edge, share):
    mask = random_mask(height, width, seed, share)
    soft = soft_edges(mask, edge)
    assert soft.shape == mask.shape and soft.dtype == torch.float32
    assert torch.equal(soft > 0, mask)
    assert soft.max() <= 1


def test_a_soft_edge_rises_to_one_and_the_images_border_is_no_edge():
    mask = torch.zeros(1, 1, 20, 40, dtype=torch.bool)
    mask[..., :20] = True
    soft = soft_edges(mask, 5)[0, 0]
    assert (soft[:, :14] == 1).all()
    assert (soft[:, 14:19].diff(dim=1) < 0).all() and 0 < soft[0, 19] < 0.2
    assert soft[:, 5].unique().numel() == 1


@given(seed=SEEDS, height=SIDES, width=SIDES, edge=st.floats(0, 40), share=st.floats(0, 1))
def test_a_thin_mask_is_whole_in_its_middle(seed, height, width, edge, share):
    mask = random_mask(height, width, seed, share)
    assert soft_edges(mask, edge).max() == mask.any()


def test_a_wide_mask_rises_over_the_whole_width_and_a_thin_one_within_half_its_depth():
    wide, thin = torch.zeros(2, 1, 1, 80, 80, dtype=torch.bool)
    wide[..., 10:70, 10:70] = thin[..., 10:70, 30:50] = True
    assert [int((soft_edges(mask, 10)[0, 0, 40] > 0.999).sum()) for mask in (wide, thin)] == [40, 10]


def test_a_width_of_zero_keeps_a_hard_edge():
    mask = random_mask(7, 7, seed=0)
    assert torch.equal(soft_edges(mask, 0), mask.float())


def test_each_mask_can_have_its_own_width():
    masks = torch.cat([random_mask(20, 20, seed=seed, share=0.9) for seed in (0, 1)])
    both = soft_edges(masks, [0.0, 3.0])
    assert torch.equal(both[:1], soft_edges(masks[:1], 0)) and torch.equal(both[1:], soft_edges(masks[1:], 3))


def test_the_ramp_is_clipped_and_its_inverse_undoes_it():
    shares = np.linspace(0, 1, 11)
    assert smoothstep(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist() == [0, 0, 0.5, 1, 1]
    assert [inverse_smoothstep(float(level)) for level in smoothstep(shares)] == pytest.approx(shares)
