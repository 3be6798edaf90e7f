"""Views of a radiograph: uniform borders are removed."""

import torch
from lung_cases import noise

from x2x_core.anatomy.lung_views import content_box


def test_uniform_borders_are_cropped():
    image = torch.zeros(1, 1, 20, 30)
    image[..., 4:15, 6:27] = torch.rand(11, 21, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.5
    assert content_box(image) == (4, 6, 15, 27)
    assert content_box(torch.zeros(1, 1, 5, 5)) is None
    assert content_box(noise((7, 9))) == (0, 0, 7, 9)
