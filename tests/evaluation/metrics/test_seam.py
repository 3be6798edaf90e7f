"""The measure of a step at the border of a mask, on drawn changes."""

import pytest
import torch

from x2x_core.evaluation.metrics.seam import seam


def boxed(inside, border):
    """A change of `border` on the one-pixel border of a mask of 6 x 6, and of `inside` within."""
    before, mask = torch.full((1, 10, 10), 0.5), torch.zeros(1, 10, 10, dtype=torch.bool)
    mask[:, 2:8, 2:8] = True
    after = before.clone()
    after[:, 2:8, 2:8] += border
    after[:, 3:7, 3:7] += inside - border
    return before, after, mask


@pytest.mark.parametrize(("inside", "border", "expected"), [(0.2, 0.2, 1), (0.2, 0.0, 0), (-0.2, -0.2, 1)])
def test_a_step_is_one_and_a_fade_is_nothing(inside, border, expected):
    assert seam(*boxed(inside, border)) == pytest.approx(expected)


def test_it_is_the_ratio_of_border_to_mask_by_hand():
    assert seam(*boxed(0.3, 0.1)) == pytest.approx(0.1 / ((20 * 0.1 + 16 * 0.3) / 36))


def test_it_does_not_depend_on_the_amount():
    assert seam(*boxed(0.3, 0.1)) == pytest.approx(seam(*boxed(0.15, 0.05)), rel=1e-5)


def test_the_edge_of_the_picture_is_no_border():
    before, mask = torch.full((1, 8, 8), 0.5), torch.zeros(1, 8, 8, dtype=torch.bool)
    mask[:, :4] = True
    after = before.clone()
    after[:, :3] += 0.2  # fades before the border inside the picture, not before the picture's edge
    assert seam(before, after, mask) == 0
    assert seam(before, after, torch.ones_like(mask)) is None


def test_it_is_undefined_without_a_change():
    before, _, mask = boxed(0.1, 0.1)
    assert seam(before, before, mask) is None and seam(before, before + 0.1, torch.zeros_like(mask)) is None
