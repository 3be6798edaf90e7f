"""The guidance map and the guidance mask."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.guidance.maps import guidance_map, guidance_mask

SIDES = st.integers(1, 24)


@given(seed=st.integers(0, 999), height=SIDES, width=SIDES, threshold=st.floats(0, 1))
def test_the_mask_lies_within_the_pseudomask_and_shrinks_with_the_threshold(seed, height, width, threshold):
    draws = torch.rand(2, 1, 1, height, width, generator=seeded(seed))
    pseudomask = draws[0] * (draws[0] > 0.3)
    found = guidance_map(draws[1], pseudomask)
    assert found.min() >= 0 and found.max() <= 1
    mask = guidance_mask(found, threshold, pseudomask)
    assert not (mask & (pseudomask == 0)).any()
    assert not (guidance_mask(found, min(1.0, threshold + 0.1), pseudomask) & ~mask).any()


def test_a_threshold_of_zero_takes_the_pseudomask_and_by_the_published_rule_everything():
    pseudomask = torch.tensor([[0.0, 0.5], [1.0, 0.0]])[None, None]
    found = guidance_map(torch.zeros(1, 1, 2, 2), pseudomask)
    assert torch.equal(guidance_mask(found, 0, pseudomask), pseudomask > 0)
    assert guidance_mask(found, 0).all()


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="of one size"):
        guidance_map(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 8, 8))
