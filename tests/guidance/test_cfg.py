"""Classifier-free guidance with two scales."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import seeded

from x2x_core.guidance.cfg import guided_noise


@given(seed=st.integers(0, 999), text=st.floats(-3, 15), image=st.floats(-3, 5))
def test_guidance_combines_the_three_branches(seed, text, image):
    branches = torch.randn(3, 2, 4, 3, 3, generator=seeded(seed))
    combined = guided_noise(*branches, text, image)
    expected = branches[2] + text * (branches[0] - branches[1]) + image * (branches[1] - branches[2])
    assert torch.allclose(combined, expected, atol=1e-4)


def test_scales_of_one_are_the_text_branch():
    branches = torch.randn(3, 2, 4, 3, 3, generator=seeded())
    assert torch.allclose(guided_noise(*branches, 1, 1), branches[0], atol=1e-5)


def test_each_image_can_have_its_own_scale_in_the_dtype_of_the_predictions():
    branches = torch.randn(3, 2, 4, 3, 3, generator=seeded(), dtype=torch.float64).to(torch.bfloat16)
    each = guided_noise(*branches, torch.tensor([2.0, 5.0]).view(-1, 1, 1, 1), 1.5)
    assert each.dtype == torch.bfloat16
    assert torch.equal(
        each, torch.stack([guided_noise(*branches, scale, 1.5)[n] for n, scale in enumerate((2.0, 5.0))])
    )
