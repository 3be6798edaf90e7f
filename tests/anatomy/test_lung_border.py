"""The lower border of a lung field: it ends at the dome that the image shows."""

import numpy as np
import pytest
import torch

from x2x_core.anatomy.lung_border import above_dome, end_at_domes

COLUMNS = np.arange(128)
DOME = 80 + (COLUMNS - 60) ** 2 // 60


@pytest.fixture
def image():
    """A dark lung over a bright dome with gas under it."""
    grey = np.full((128, 128), 0.25, np.float32)
    grey[COLUMNS[:, None] > DOME] = 0.7
    grey[92:102, 45:60] = 0.25
    return grey


@pytest.fixture
def field():
    """A field that reaches under the dome."""
    inside = np.zeros((128, 128), bool)
    inside[20:91, 35:75] = True
    return inside


@pytest.mark.parametrize(
    "change", [lambda x: x, lambda x: 1 - x, lambda x: 0.4 + 0.2 * x], ids=["plain", "inverted", "faint"]
)
def test_a_field_that_reaches_under_the_dome_ends_at_the_dome(image, field, change):
    above = above_dome(change(image), field)
    inner = COLUMNS[40:70]
    assert np.abs(127 - above[::-1].argmax(0)[inner] - DOME[inner]).max() <= 3
    assert np.array_equal(above[:60], field[:60]) and not (above & ~field).any()


def test_without_an_edge_the_field_stays(field):
    assert np.array_equal(above_dome(np.full((128, 128), 0.4, np.float32), field), field)


def test_a_field_too_small_to_search_stays(image):
    small = np.zeros((128, 128), bool)
    small[70:85, 40:50] = True
    assert np.array_equal(above_dome(image, small), small)


@pytest.mark.parametrize("size", [128, 400])
def test_fields_end_at_domes_at_any_size_and_whole_lungs_stay(image, field, size):
    def sized(values):
        return torch.nn.functional.interpolate(torch.from_numpy(values.astype(np.float32))[None, None], (size, size))

    chances = sized(field).expand(1, 4, -1, -1)
    ended = end_at_domes(chances, sized(image))
    assert torch.equal(ended[:, 2:], chances[:, 2:]) and torch.equal(ended[0, 0], ended[0, 1])
    assert ended[0, 0].sum() < 0.95 * chances[0, 0].sum() and not ended[0, 0, round(0.67 * size) :, size // 2].any()


def test_nothing_comes_of_nothing():
    empty = torch.zeros(1, 4, 30, 40)
    assert torch.equal(end_at_domes(empty, torch.rand(1, 1, 30, 40)), empty)
