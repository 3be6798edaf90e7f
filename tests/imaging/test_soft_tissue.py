"""The grey of soft tissue."""

import pytest
import torch
from tiny_models import seeded

from x2x_core.imaging.soft_tissue import soft_tissue_grey


def chest(size=256):
    """Dark lung with detail, and soft tissue of grey 0.7 in the lower half."""
    draws = torch.rand(1, 1, size, size, generator=seeded(0))
    picture = 0.3 + 0.1 * (2 * draws - 1)
    picture[..., size // 2 :, :] = 0.7
    return picture


def test_soft_tissue_is_found_in_each_picture_and_in_large_ones():
    dim, bright = chest() * 0.5, chest()
    found = soft_tissue_grey(torch.cat([dim, bright]))
    for grey, expected in zip(found, (0.35, 0.7)):
        assert torch.allclose(grey, torch.full_like(grey, expected), atol=1e-3)
    large = soft_tissue_grey(chest(1500))
    assert torch.allclose(large, torch.full_like(large, 0.7), atol=1e-3)


def test_soft_tissue_has_the_grey_of_its_surroundings():
    original = chest()
    original[..., 128:, 128:] = 0.62
    tissue = soft_tissue_grey(original)
    assert tissue[..., 130:, :40].mean() == pytest.approx(0.7, abs=0.01)
    assert tissue[..., 130:, -40:].mean() == pytest.approx(0.62, abs=0.02)
    assert tissue[..., :40, :].min() > 0.61 and tissue.max() <= 0.7 + 1e-6


def test_black_borders_and_metal_are_not_soft_tissue():
    original = chest()
    original[..., :60] = 0.0
    original[..., 20:24, 100:140] = 1.0
    tissue = soft_tissue_grey(original)
    assert torch.allclose(tissue, torch.full_like(tissue, 0.7), atol=1e-3)


@pytest.mark.parametrize("grey", [0.0, 0.02, 0.5, 1.0])
def test_an_even_picture_is_its_own_soft_tissue(grey):
    even = torch.full((1, 1, 40, 30), grey)
    assert torch.allclose(soft_tissue_grey(even), even, atol=1e-6)
