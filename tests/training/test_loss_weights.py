"""Share of the loss that a pair's change gets."""

import torch

from x2x_core.training.editing.loss_weights import MAX_BALANCED, balance, change_weight


def test_the_weight_is_the_change_of_grey():
    pair = torch.full((2, 32, 32), 0.4)
    pair[1, :16] += 0.06
    pair[1, 24:] += 0.5
    weight = change_weight(pair, (4, 4))
    assert torch.allclose(weight[0, :2], torch.tensor(0.5)) and not weight[0, 2].any() and (weight[0, 3] == 1).all()


def _pair_weights() -> torch.Tensor:
    weights = torch.zeros(2, 1, 4, 4)
    weights[0, 0, :2], weights[1, 0, :2] = 0.8, 0.2
    return weights


def test_no_balance_leaves_the_weights():
    assert torch.equal(balance(_pair_weights(), 0.0), _pair_weights())


def test_balance_gives_a_faint_change_the_weight_of_a_strong_one():
    level = balance(_pair_weights(), 1.0)
    assert torch.allclose(level[:, 0, :2], torch.tensor(1.0)) and not level[:, 0, 2:].any()
    favoured = balance(_pair_weights(), 2.0)
    assert torch.allclose(favoured[0, 0, :2], torch.tensor(1.25)) and torch.allclose(
        favoured[1, 0, :2], torch.tensor(5.0)
    )


def test_balance_is_computed_for_each_pair_and_bounded():
    weights = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([balance(one[None], 1.5) for one in weights])
    assert torch.allclose(balance(weights, 1.5), alone)
    assert balance(weights * 0.001, 2.0).max() == MAX_BALANCED
    assert not balance(torch.zeros(1, 1, 4, 4), 2.0).any()
