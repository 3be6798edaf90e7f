"""Undo: the share of a change that is left after it was taken back."""

import pytest
import torch

from x2x_core.evaluation.metrics.undo import undo


def test_it_is_the_share_of_the_change_that_is_left_in_the_region():
    image = torch.full((1, 4, 4), 0.5)
    edited, undone, region = image.clone(), image.clone(), torch.zeros(1, 4, 4, dtype=torch.bool)
    region[:, :2] = True
    edited[:, 0] += 0.4
    undone[:, 0] -= 0.1  # too much was taken away: that is left too
    undone[:, 3] += 0.3  # outside
    assert undo(image, edited, undone, region) == pytest.approx(0.25)
    assert undo(image, edited, image, region) == 0
    assert undo(image, edited, edited, region) == 1


def test_without_a_change_in_the_region_it_is_undefined():
    image = torch.full((1, 4, 4), 0.5)
    assert undo(image, image, image, torch.ones(1, 4, 4, dtype=torch.bool)) is None
    assert undo(image, image + 0.1, image, torch.zeros(1, 4, 4, dtype=torch.bool)) is None
