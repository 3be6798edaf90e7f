"""Simulated pairs of one body."""

import torch

from x2x_core.simulation.pairs import simulate_body


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_change_is_the_difference_of_the_images(thorax):
    pairs = simulate_body(thorax, generator(5), pairs=3, size=48)
    assert len(pairs) == 3
    for pair in pairs:
        assert pair.before.shape == pair.after.shape == pair.change.shape == (1, 48, 48)
        assert pair.before.min() >= 0 and pair.after.max() <= 1
        assert torch.equal(pair.change, pair.after - pair.before)
        assert pair.change.abs().max() > 0.005
        assert pair.masks.shape == (3, 48, 48) and pair.masks.any((1, 2)).all()
        assert pair.attributes["geometry"]["field_mm"] > 0


def test_equal_seeds_give_equal_pairs(thorax):
    first, again = (simulate_body(thorax, generator(6), pairs=2, size=32) for _ in range(2))
    for one, other in zip(first, again):
        assert torch.equal(one.before, other.before) and torch.equal(one.after, other.after)
        assert one.instruction == other.instruction and one.attributes == other.attributes
