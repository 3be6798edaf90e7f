"""The checkpoint that ships, on the sample that ships: it does what it is told, there, and nowhere else."""

import pytest
import torch

from x2x_core import InstructX2XPipeline
from x2x_core.bundled import bundled_path
from x2x_core.imaging.files import read_image


@pytest.fixture(scope="module")
def demo():
    pipe = InstructX2XPipeline.from_pretrained("demo")
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_effusion_whitens_the_base_of_its_side_and_nothing_else(demo, side):
    before = read_image(bundled_path("sample")).pixels
    words = f"Add the finding of moderate {side} pleural effusion."
    result = demo(before, words, generator=torch.Generator().manual_seed(0), output_type="pt")
    change = result.images - before
    assert not change[~result.guidance_mask].any()
    gain = change.clamp_min(0).square()[0, 0]
    height, width = gain.shape
    on_side = gain[:, width // 2 :] if side == "left" else gain[:, : width // 2]
    assert on_side.sum() > 0.8 * gain.sum()
    assert gain[height // 2 :].sum() > 0.6 * gain.sum()
    assert change.sum() > 0


def test_its_recommendations_are_used(demo):
    steps = []

    def count(pipe, step, timestep, tensors):
        steps.append(step)
        return {}

    demo(read_image(bundled_path("sample")).pixels, "Add edema.", generator=torch.Generator().manual_seed(0),
         output_type="pt", callback_on_step_end=count)  # fmt: skip
    assert len(steps) == demo.config.recommended_num_inference_steps
