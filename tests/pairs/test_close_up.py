"""Close-ups are squares that hold the change, drawn from their generator alone."""

import numpy as np
import pytest
import torch
from PIL import Image

from x2x_core.pairs.augmentation import AugmentConfig, read_augmented
from x2x_core.pairs.close_up import LEAST_CHANGE, SIDES, close_up
from x2x_core.pairs.layout import Row


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def changed_pair(top, left, height, width, size=64):
    past = torch.rand(size, size, generator=generator(3)) * 0.5
    current = past.clone()
    current[top : top + height, left : left + width] += 0.3
    return torch.stack([past, current])


@pytest.mark.parametrize("place", [(0, 0, 5, 9), (40, 50, 10, 14), (10, 20, 30, 20), (30, 1, 4, 50)])
def test_a_close_up_is_a_square_that_holds_the_whole_change(place):
    pair = changed_pair(*place)
    sides = set()
    for seed in range(40):
        window = close_up(pair, generator(seed))
        side = window.shape[-1]
        assert window.shape == (2, side, side)
        assert round(SIDES[0] * 64) <= side <= round(SIDES[1] * 64)
        assert int((window[1] - window[0]).gt(0.1).sum()) == place[2] * place[3]
        sides.add(side)
    assert len(sides) > 1


def test_a_close_up_is_cut_from_the_pair_unscaled():
    pair = changed_pair(20, 20, 8, 8)
    window = close_up(pair, generator())
    side = window.shape[-1]
    tops = range(64 - side + 1)
    assert any(torch.equal(window, pair[:, y : y + side, x : x + side]) for y in tops for x in tops)


def test_places_and_sides_vary_over_the_whole_image():
    pair = changed_pair(30, 30, 4, 4)
    starts = {tuple(close_up(pair, generator(seed))[0, 0, :2].tolist()) for seed in range(60)}
    assert len(starts) > 40


@pytest.mark.parametrize("pair", [changed_pair(2, 2, 60, 8), changed_pair(0, 0, 0, 0)])
def test_a_change_too_large_or_absent_keeps_the_whole_image(pair):
    assert close_up(pair, generator()) is pair


def test_changes_below_the_least_are_noise():
    pair = changed_pair(20, 20, 8, 8)
    pair[1, 0, 0] = pair[0, 0, 0] + LEAST_CHANGE / 2
    pair[1, -1, -1] = pair[0, -1, -1] + LEAST_CHANGE / 2
    assert close_up(pair, generator()).shape[-1] < 64


def test_equal_generators_give_equal_windows():
    pair = changed_pair(20, 20, 8, 8)
    assert torch.equal(close_up(pair, generator(5)), close_up(pair, generator(5)))


@pytest.fixture
def row(tmp_path):
    files = []
    for name, image in zip(("past", "current"), changed_pair(20, 20, 8, 8)):
        files.append(tmp_path / f"{name}.png")
        Image.fromarray((image.numpy() * 255).round().astype(np.uint8)).save(files[-1])
    return Row("Add edema.", *files)


def test_reading_shows_a_close_up_with_its_probability(row):
    still = AugmentConfig(flip=0, rotation=0, close_up=0.5)
    whole, _ = read_augmented(row, 32, AugmentConfig(flip=0, rotation=0), generator())
    shares = []
    for seed in range(60):
        pair, words = read_augmented(row, 32, still, generator(seed))
        assert pair.shape == (2, 32, 32) and words == "Add edema."
        shares.append(float((pair[1] - pair[0]).gt(0.1).float().mean()))
    base = float((whole[1] - whole[0]).gt(0.1).float().mean())
    larger = sum(share > 1.2 * base for share in shares)
    assert 15 < larger < 45
    assert shares.count(base) == 60 - larger


def test_no_close_up_draws_nothing(row):
    config = AugmentConfig(flip=0.5, rotation=5)
    pair, _ = read_augmented(row, 32, config, generator(4))
    again, _ = read_augmented(row, 32, AugmentConfig(flip=0.5, rotation=5, close_up=0.0), generator(4))
    assert torch.equal(pair, again)
