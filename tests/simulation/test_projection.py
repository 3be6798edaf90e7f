"""Projection of volumes along rays."""

import pytest
import torch

from x2x_core.simulation.projection import Geometry, project, ray_grid


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_parallel_rays_through_a_uniform_block_sum_its_depth():
    block = torch.ones(1, 20, 20, 20)
    geometry = Geometry(field_mm=40.0, source_mm=None)
    grid = ray_grid((20, 20, 20), (5.0, 5.0, 5.0), geometry, 16, generator(), step_mm=1.0)
    image = project(block, grid, step_mm=1.0)
    assert image[0, 8, 8].item() == pytest.approx(100, rel=0.05)


def test_projection_is_linear(thorax):
    grid = ray_grid(thorax.shape, thorax.spacing, Geometry(), 24, generator())
    soft, bone, both = project(torch.stack([thorax.soft, thorax.bone, thorax.attenuation]), grid)
    assert torch.allclose(soft + bone, both, atol=1e-2)
