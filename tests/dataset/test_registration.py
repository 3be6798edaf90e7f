"""Registration finds known transforms, and its measures tell good from bad."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from mimic_cases import simulate_body

from x2x_core.dataset import registration
from x2x_core.dataset.agreement import agreement
from x2x_core.dataset.registration import Registration, measure, move, register
from x2x_core.dataset.squares import Square

SIDE = 128
IDENTITY = Registration((1, 0, 0, 1), (0, 0))


@pytest.fixture(scope="module")
def chest():
    """A simulated radiograph that fills its square."""
    import torch

    from x2x_core.simulation.phantom import phantom_ct
    from x2x_core.simulation.thorax import segment_thorax

    thorax = segment_thorax(phantom_ct((8.0, 8.0, 8.0)), (8.0, 8.0, 8.0))
    pair = simulate_body(thorax, torch.Generator().manual_seed(11), pairs=1, size=SIDE)[0]
    values = (pair.before[0] * 255).round().byte().numpy()
    return Square(values, np.ones_like(values, bool))


def displaced(square, turn=0.0, scale=1.0, right=0.0, down=0.0, gamma=1.0):
    """The picture moved as said (degrees, factor, shares of the side) and exposed otherwise, and what leads back."""
    angle = np.deg2rad(turn)
    forward = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([right, down])
    # `move` asks where each pixel comes from, so the inverse puts the picture where it is wanted.
    inverse = np.linalg.inv(forward)
    moved = move(square, Registration(tuple(inverse.flatten()), tuple(-inverse @ shift)))
    exposed = (255 * (moved.pixels / 255) ** gamma).round().astype(np.uint8)
    return Square(np.where(moved.valid, exposed, 0).astype(np.uint8), moved.valid), Registration(
        tuple(forward.flatten()), tuple(shift)
    )


def error(found, true):
    """Mean distance between where two transforms put the middle of the picture, in shares of the side."""
    points = np.stack(np.meshgrid(*[np.linspace(-0.35, 0.35, 5)] * 2), -1).reshape(-1, 2)
    ends = [points @ np.array(one.matrix).reshape(2, 2).T + one.shift for one in (found, true)]
    return float(np.linalg.norm(ends[0] - ends[1], axis=1).mean())


@pytest.mark.parametrize(
    "motion", [{"turn": 6, "right": 0.07}, {"turn": -4, "down": -0.08, "gamma": 1.3}, {"right": -0.1, "gamma": 0.7}]
)
@pytest.mark.parametrize("kind", ["rigid", "affine"])
def test_a_known_motion_is_found(chest, motion, kind):
    past, true = displaced(chest, **motion)
    found = register(past, chest, kind)
    assert error(found, true) < 0.006 < error(IDENTITY, true)
    measured = measure(move(past, found), chest, found)
    assert measured.quality > 0.85 and measured.overlap > 0.8 and measured.plausible


def test_affine_follows_a_scale_that_rigid_cannot(chest):
    past, true = displaced(chest, scale=0.9, turn=3)
    assert error(register(past, chest, "affine"), true) < 0.006
    rigid = register(past, chest, "rigid")
    assert rigid.stretches == pytest.approx((1, 1))


def test_the_same_pair_gives_the_same_transform(chest):
    past, _ = displaced(chest, turn=5, gamma=1.2)
    found = [register(past, chest) for _ in range(4)]
    assert len({(one.matrix, one.shift) for one in found}) == 1


def test_the_default_number_of_threads_is_restored(chest):
    import SimpleITK

    before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    register(chest, chest)
    assert SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads() == before


def test_pictures_that_do_not_belong_together_agree_little(chest):
    upside_down = Square(np.ascontiguousarray(chest.pixels[::-1]), chest.valid)
    noise = Square(np.random.default_rng(0).integers(0, 255, (SIDE, SIDE)).astype(np.uint8), chest.valid)
    for other in (upside_down, noise):
        found = register(other, chest)
        assert measure(move(other, found), chest, found).quality < 0.5


def test_what_moves_in_from_outside_is_black_and_marked(chest):
    moved = move(chest, Registration((1, 0, 0, 1), (0.25, 0)))
    assert moved.valid[:, : SIDE * 3 // 4 - 1].all() and not moved.valid[:, SIDE * 3 // 4 :].any()
    assert (moved.pixels[~moved.valid] == 0).all()
    assert (moved.pixels[:, :90] == chest.pixels[:, 32:122]).all()
    same = move(chest, IDENTITY)
    assert (same.pixels == chest.pixels).all() and same.valid.all()


def test_agreement_is_about_structure_not_exposure(chest):
    everywhere = chest.valid
    brighter = (chest.pixels * 0.6 + 60).astype(np.uint8)
    assert agreement(chest.pixels, chest.pixels, everywhere) == pytest.approx(1)
    assert agreement(brighter, chest.pixels, everywhere) > 0.95
    assert agreement(255 - chest.pixels, chest.pixels, everywhere) < -0.95
    assert agreement(chest.pixels, np.full_like(chest.pixels, 7), everywhere) == 0
    assert agreement(chest.pixels, chest.pixels, np.zeros_like(everywhere)) == 0
    shifted = np.roll(chest.pixels, 10, 1)
    assert (
        agreement(shifted, chest.pixels, everywhere)
        < agreement(np.roll(chest.pixels, 3, 1), chest.pixels, everywhere)
        < 0.99
    )


def test_agreement_looks_only_where_both_show_something(chest):
    spoilt, where = chest.pixels.copy(), chest.valid.copy()
    spoilt[:40], where[:40] = 255, False
    assert agreement(spoilt, chest.pixels, where) == pytest.approx(1)


def test_plausible_transforms_are_those_of_patients():
    assert IDENTITY.plausible and Registration((1.1, 0.1, -0.1, 1.1), (0.3, 0.3)).plausible
    for matrix in ((-1, 0, 0, 1), (2, 0, 0, 1), (0.5, 0, 0, 0.9), (0, -1, 1, 0)):
        assert not replace(IDENTITY, matrix=matrix).plausible
    assert Registration((0, -1, 1, 0), (0, 0)).turn_degrees == pytest.approx(90)
    assert Registration((2, 0, 0, 0.5), (0, 0)).stretches == pytest.approx((2, 0.5))


def test_sizes_must_agree(chest):
    small = Square(cv2.resize(chest.pixels, (64, 64)), np.ones((64, 64), bool))
    with pytest.raises(ValueError, match="`past` must be the size of `current`"):
        register(small, chest)


def test_without_simpleitk_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(ImportError, match=r"instructx2x\[dataset\]"):
        registration.check_registering()
