"""Drawing: images of every form as RGB, colour bars."""

import numpy as np
import pytest
import torch
from PIL import Image

from x2x_core.imaging.drawing import as_rgb, color_bar


def test_the_colour_bar_runs_from_bottom_to_top():
    values = np.asarray(color_bar(200, lambda share: share[..., None].repeat(3, axis=-1), ("0", "1")))
    column = values[20:180, 10].mean(axis=-1)
    assert column[0] > column[-1]


@pytest.mark.parametrize(
    "image",
    [
        torch.full((1, 1, 4, 6), 0.4),
        torch.full((3, 4, 6), 0.4, dtype=torch.float64),
        torch.full((4, 6), 0.4, dtype=torch.bfloat16),
        torch.full((1, 4, 6), 102, dtype=torch.uint8),
        np.full((4, 6), 0.4),
        np.full((4, 6, 3), 102, np.uint8),
        np.full((4, 6), 26214, np.uint16),
        Image.new("L", (6, 4), 102),
        Image.new("RGBA", (6, 4), (102, 102, 102, 255)),
        Image.fromarray(np.full((4, 6), 26214, np.uint16)),
    ],
)
def test_images_in_every_accepted_form_are_converted(image):
    values = as_rgb(image)
    assert values.shape == (4, 6, 3) and values.dtype == np.float32
    assert values == pytest.approx(0.4, abs=2e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: as_rgb(torch.ones(2, 1, 4, 4)), "must be one image, got a batch of 2"),
        (lambda: as_rgb(torch.full((4, 4), 2.0)), "must lie in \\[0, 1\\], got 2 to 2"),
        (lambda: as_rgb(torch.full((4, 4), torch.nan)), "must lie in \\[0, 1\\]"),
        (lambda: as_rgb(np.ones((4, 4, 2))), "1 or 3 channels"),
        (lambda: as_rgb(np.ones((0, 4))), "must be one image"),
        (lambda: as_rgb("a.png"), "must be a tensor, an array or a picture, got str"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
