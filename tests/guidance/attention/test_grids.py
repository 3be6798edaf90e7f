"""The grids of cross-attention layers."""

import pytest

from x2x_core.guidance.attention.grids import grid_at, watched_level


def test_the_watched_level_is_that_nearest_the_share():
    levels = (3, 1, 2)
    assert [watched_level(levels, share) for share in (1, 0.5, 0.3, 0.25, 0.1, 0.01)] == [1, 1, 2, 2, 3, 3]
    assert watched_level(levels, 2**-1.5) == 1  # of two, the finer


def test_a_share_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"`grid_share` must lie in \(0, 1\], got 0"):
        watched_level({1}, 0)


def test_grids_are_halved_and_rounded_up():
    assert [grid_at(level, (9, 7)) for level in range(4)] == [(9, 7), (5, 4), (3, 2), (2, 1)]
