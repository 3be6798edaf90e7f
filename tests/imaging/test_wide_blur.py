"""A wide blur at a smaller size is the blur at full size."""

import cv2
import numpy as np
import pytest

from x2x_core.imaging.wide_blur import wide_blur


@pytest.mark.parametrize("sigma", [2.0, 8.0, 17.0, 60.0])
def test_it_is_the_blur_at_full_size(sigma):
    plane = (np.random.default_rng(0).random((150, 210)) < 0.3).astype(np.float32)
    plane[40:90, 60:] = 1
    full = cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    assert np.abs(wide_blur(plane, sigma) - full).max() < (0.01 if sigma > 8 else 1e-6)


def test_a_uniform_plane_stays():
    plane = np.full((33, 47), 0.4, np.float32)
    assert np.abs(wide_blur(plane, 20.0) - plane).max() < 1e-6
