"""Growing masks by discs, against distances computed by SciPy."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from x2x_core.simulation.films.fields import grow

RADII = (1, 2, 5, 12, 13, 30)  # from 13 on, a disc is computed otherwise


def blobs():
    rows, columns = np.mgrid[:120, :90]
    mask = np.hypot(rows - 40, columns - 30) < 22
    mask[90:, 60:] = True  # reaches the picture's border
    mask[10, 80] = True
    return mask


@pytest.mark.parametrize("radius", RADII)
def test_a_grown_mask_holds_what_is_within_the_radius_and_nothing_much_beyond(radius):
    mask = blobs()
    distance = distance_transform_edt(~mask)
    grown = grow(mask, radius)
    assert grown[distance <= radius].all() and not grown[distance > radius + 0.5].any()


@pytest.mark.parametrize("radius", RADII)
def test_eroding_is_growing_what_is_outside_and_the_border_is_no_outline(radius):
    mask = blobs()
    shrunk = grow(mask, -radius)
    assert np.array_equal(shrunk, ~grow(~mask, radius))
    if radius < 15:
        assert shrunk[-1, -1] and shrunk[40, 30] and not shrunk[10, 80]


@pytest.mark.parametrize("radius", [0, 3, 20, -3, -20])
@pytest.mark.parametrize("value", [True, False])
def test_full_and_empty_masks_stay_as_they_are(radius, value):
    mask = np.full((40, 30), value)
    assert np.array_equal(grow(mask, radius), mask)
