"""Probability maps: stored as bytes, and cut where the region holds a share of the probability."""

import numpy as np
import pytest
import torch
from box_cases import PLAIN

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.pseudomasks.building.smoothing import smooth
from x2x_core.pseudomasks.maps import MASK_RESOLUTION, ProbabilityMap


def test_a_probability_survives_as_bytes_and_its_region_holds_the_mass():
    values = smooth(np.array([[0.5, 0.5, 0.4, 0.3]]), PLAIN, 64)
    coded = ProbabilityMap.of(values, 0.9)
    assert np.abs(coded.probability().numpy() - values).max() < 0.005
    fine = coded.probability(MASK_RESOLUTION)
    assert float(fine[fine >= coded.cut].sum() / fine.sum()) == pytest.approx(0.9, abs=0.003)
    assert torch.equal(coded.mask() >= EDGE_LEVEL, fine >= coded.cut)
    assert ProbabilityMap.of(values, 0.9, largest=0.05).share == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize(
    ("values", "mass"), [(np.zeros((4, 4)), 0.9), (np.full((4, 4), 2.0), 0.9), (np.ones((4, 4)), 0)]
)
def test_an_invalid_probability_is_refused(values, mass):
    with pytest.raises(ValueError, match="`probability` must lie in"):
        ProbabilityMap.of(values, mass)
