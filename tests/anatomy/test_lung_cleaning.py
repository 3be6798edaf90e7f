"""Cleaning of lung fields: long thin tails are cut off, at any size."""

import pytest
import torch

from x2x_core.anatomy.lung_cleaning import without_tails


def test_a_field_loses_a_long_thin_tail_and_keeps_a_short_one():
    chances = torch.zeros(1, 4, 200, 200)
    chances[..., 20:140, 40:90] = 1
    chances[..., 140:190, 40:45] = 1  # narrower than a tail of TAILS, and longer
    kept = without_tails(chances)
    assert torch.equal(kept[0, 0, :140], chances[0, 0, :140])
    assert kept[0, 0, 140:145, 40:45].all() and not kept[0, 0, 170:].any()
    assert torch.equal(kept[:, 2:], chances[:, 2:])  # the whole lungs go as deep as they do
    chances[..., 145:, :] = 0
    assert torch.equal(without_tails(chances), chances)


@pytest.mark.parametrize("size", [(3, 3), (40, 400), (1200, 900)])
def test_tails_are_looked_for_at_any_size(size):
    chances = torch.zeros(1, 4, *size)
    assert torch.equal(without_tails(chances), chances)
    chances[...] = 1
    assert torch.equal(without_tails(chances), chances)


def test_a_left_field_may_be_narrow_beside_the_heart():
    chances = torch.zeros(1, 4, 200, 200)
    chances[..., 20:120, 110:160] = 1
    chances[..., 120:180, 137:160] = 1
    kept = without_tails(chances)
    assert kept[0, 1, 172, 140:158].all() and not kept[0, 0, 172].any()


def test_a_spike_at_the_apex_is_cut():
    chances = torch.zeros(1, 4, 200, 200)
    chances[..., 60:180, 40:90] = 1
    chances[..., 20:60, 86:90] = 1
    assert not without_tails(chances)[0, :2, :52].any()
