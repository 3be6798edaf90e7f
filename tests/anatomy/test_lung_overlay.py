"""The lung overlay: each outline in its colour, along the border of its lung."""

import cv2
import numpy as np
import pytest
import torch
from lung_cases import radiograph

from x2x_core.anatomy.lung_overlay import LEFT_COLOUR, RIGHT_COLOUR, lung_overlay
from x2x_core.imaging.drawing import as_rgb

TYPICAL = 1


def test_the_overlay_outlines_each_lung_in_its_colour(finder):
    image = radiograph(TYPICAL)
    lungs = finder.find(image)
    picture = (as_rgb(lung_overlay(image, lungs)) * 255).round().astype(int)
    assert picture.shape == (160, 160, 3)
    drawn = np.abs(picture - (as_rgb(image) * 255)).sum(2)[:140] > 60  # above the legend
    for (colour, other), mask in (
        ((RIGHT_COLOUR, LEFT_COLOUR), lungs.right),
        ((LEFT_COLOUR, RIGHT_COLOUR), lungs.left),
    ):
        inside = (mask[0, 0].numpy() >= 0.5).astype(np.uint8)[:140]
        near = (cv2.dilate(inside, np.ones((5, 5))) > 0) & (cv2.erode(inside, np.ones((5, 5))) == 0)
        line = picture[:140][drawn & near]
        assert len(line) > 100 and np.abs(line.mean(0) - colour).sum() < np.abs(line.mean(0) - other).sum()
        assert not (drawn & (inside > 0) & ~near).any()
    with pytest.raises(ValueError, match="`lungs` must be those of one image, got 2"):
        lung_overlay(image, finder.find(torch.cat([image, image])))
