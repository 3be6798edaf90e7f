"""Segmentation of the phantom."""

import numpy as np
import pytest

from x2x_core.simulation.ct import Volume
from x2x_core.simulation.thorax import segment_thorax


def test_the_right_lung_is_on_the_image_s_left_and_both_lungs_contain_air(thorax):
    right, left = thorax.lungs["right"], thorax.lungs["left"]
    assert right.mask.sum((0, 1)).argmax() < left.mask.sum((0, 1)).argmax()
    for lung in (right, left):
        litres = float(lung.mask.sum()) * 6**3 / 1e6
        assert 1 < litres < 5
        assert thorax.attenuation[lung.mask > 0.9].mean() < 0.3
        assert lung.apex < lung.dome < lung.base


def test_the_heart_lies_between_the_lungs_a_little_to_the_left(thorax):
    assert thorax.heart_centre[2] > thorax.heart.shape[2] / 2
    assert 0.2 < float(thorax.heart.sum()) * 6**3 / 1e6 < 1.5


def test_a_volume_without_lungs_is_an_error():
    solid = Volume(np.full((40, 40, 40), 40, np.float32), (8.0, 8.0, 8.0), "a brick")
    with pytest.raises(ValueError, match="`ct` must show two separate lungs"):
        segment_thorax(solid, (8.0, 8.0, 8.0))
