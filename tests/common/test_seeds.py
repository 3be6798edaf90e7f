"""Named random streams: a draw depends on its seed, stream and numbers alone."""

import pytest
import torch

from x2x_core.common import seeds
from x2x_core.common.seeds import seeded_generator


def draw(*names):
    return torch.rand(4, generator=seeded_generator(*names)).tolist()


def test_a_draw_is_the_same_every_time():
    assert draw(7, seeds.SAMPLE, 3, 1) == draw(7, seeds.SAMPLE, 3, 1)


@pytest.mark.parametrize("other", [(8, 1, 3), (7, 2, 3), (7, 1, 4), (7, 1, 3, 5), (7 + 2**32, 1, 3)])
def test_another_seed_stream_or_number_is_another_draw(other):
    assert draw(7, 1, 3) != draw(*other)


def test_trailing_zeros_name_the_same_draw():
    assert draw(7, 1, 3) == draw(7, 1, 3, 0)


def test_streams_are_distinct():
    names = ("ORDER", "SAMPLE", "STEP", "CACHE", "SAMPLES", "BODY", "EPOCH", "VALIDATION")
    assert len({getattr(seeds, name) for name in names}) == len(names)


def test_drawing_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    draw(0, 0, 0)
    assert torch.equal(torch.get_rng_state(), before)
