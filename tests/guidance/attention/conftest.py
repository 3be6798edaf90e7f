"""Fixtures of the tests of attention."""

import pytest
import torch
from attention_cases import CELLS
from tiny_models import make_unet


@pytest.fixture
def unet():
    return make_unet()


@pytest.fixture
def half():
    """A mask for two images: the left half of one, a corner of the other."""
    mask = torch.zeros(2, 1, *CELLS, dtype=torch.bool)
    mask[0, :, :, :8] = True
    mask[1, :, :4, 12:] = True
    return mask
